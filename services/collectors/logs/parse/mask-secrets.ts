const MASK = '****';

/**
 * Every repetition is bounded or can't begin inside its own match, so that each of these takes time
 * linear in the text whatever the text is.
 */
const RULES: readonly (readonly [RegExp, string])[] = [
  [
    /-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|$)/g,
    `PRIVATE KEY ${MASK}`,
  ],
  [/([a-z][a-z0-9+.-]{0,20}:\/\/[^\s:@/?#]{0,100}):[^\s@/]{1,300}@/gi, `$1:${MASK}@`],
  [/\b(bearer|basic)(\s{1,4})[A-Za-z0-9._~+/=-]{8,}/gi, `$1$2${MASK}`],
  [/(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g, MASK],
  [/\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g, MASK],
  [/\b(?:gh[pousr]_\w{30,100}|xox[abprs]-[\w-]{10,200}|dapi[0-9a-f]{32}(?:-\d)?)/g, MASK],
  [
    /((?:passw(?:or)?d|passphrase|pwd|secret|token|(?:access|account|api|shared|private|encryption)[._-]?key|credential|signature|\bsig|authorization)[\w.-]{0,80}["']?\s{0,4}(?:=>?|:|->)\s{0,4}(?:\\?["'])?)(?!\*{4}|(?:bearer|basic)\s|\s)([^\s"',;&)}\]\\]+)/gi,
    `$1${MASK}`,
  ],
];

/** One pass that rules out nearly every line. */
const TRIGGER =
  /passw|passphrase|pwd|secret|token|bearer|basic |key|credential|signature|sig=|authorization|AKIA|ASIA|eyJ|gh[pousr]_|xox[abprs]-|dapi|-----BEGIN|:\/\/[^\s/]*@/i;

/** The text without passwords, keys and tokens; the same string when it holds none. */
export function maskSecrets(text: string): string {
  if (!TRIGGER.test(text)) return text;
  let masked = text;
  for (const [pattern, replacement] of RULES) masked = masked.replace(pattern, replacement);
  return masked;
}
