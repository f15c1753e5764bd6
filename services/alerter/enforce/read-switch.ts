import { stat } from 'node:fs/promises';

export interface SwitchedOn {
  readonly on: boolean;
  /** What turned it off; '' while it is on. */
  readonly why: string;
}

const ON: SwitchedOn = { on: true, why: '' };
const OFF_WORDS = ['off', '0', 'false', 'no'];

/** What the environment says; a word that isn't understood is off. */
export function switchOfWord(name: string, word: string | undefined): SwitchedOn {
  if (word === undefined || word === '' || word.toLowerCase() === 'on') return ON;
  const known = OFF_WORDS.includes(word.toLowerCase());
  return { on: false, why: `${name}=${known ? word : 'neither on nor off'}` };
}

/** Off while the file is there, whatever is in it, and when that can't be told. */
export async function switchOfFile(file: string): Promise<SwitchedOn> {
  try {
    await stat(file);
    return { on: false, why: `${file} is there` };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? ON : { on: false, why: `${file} can't be looked for: ${code}` };
  }
}

/** Any one that is off turns it off. */
export function allOn(switches: readonly SwitchedOn[]): SwitchedOn {
  const off = switches.filter(({ on }) => !on).map(({ why }) => why);
  return off.length === 0 ? ON : { on: false, why: off.join('; ') };
}
