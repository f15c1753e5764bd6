import { AppError } from '../../../shared/errors/app-error.ts';

/** A piece of one path segment: fixed text, or at least one free character, captured if it has a name. */
type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'any'; readonly name: string };

export interface PathSegment {
  /** `**`: any number of folders, none included. */
  readonly deep: boolean;
  /** Undefined when the name doesn't match; otherwise what `{name}` parts matched. */
  match(name: string): Record<string, string> | undefined;
  /** The whole segment when it has nothing free in it. */
  readonly fixed: string | undefined;
}

export interface PathPattern {
  readonly pattern: string;
  /** Folder that holds everything that can match; links that lead out of it aren't followed. */
  readonly root: string;
  /** Segments below the root; the last one names files. */
  readonly segments: readonly PathSegment[];
}

const MAX_SEGMENTS = 40;

function pieces(segment: string, pattern: string): Piece[] {
  const found: Piece[] = [];
  const parts = segment.split(/(\*|\{[a-zA-Z][a-zA-Z0-9_]*\})/);
  for (const part of parts) {
    if (part === '') continue;
    const free = part === '*' || /^\{\w+\}$/.test(part);
    if (free && found.at(-1)?.kind === 'any') {
      throw new AppError(
        'CONFIG_INVALID',
        `path pattern ${pattern}: put fixed text between the free parts of "${segment}"`,
      );
    }
    if (!free && /[{}]/.test(part)) {
      throw new AppError(
        'CONFIG_INVALID',
        `path pattern ${pattern}: "${part}" is no {name} of letters, digits and _`,
      );
    }
    if (free) found.push({ kind: 'any', name: part === '*' ? '' : part.slice(1, -1) });
    else found.push({ kind: 'text', text: part });
  }
  return found;
}

/**
 * Leftmost shortest match with the last fixed text anchored at the end: linear, and complete,
 * because a free part takes anything.
 */
function matchPieces(wanted: readonly Piece[], name: string): Record<string, string> | undefined {
  const captures: Record<string, string> = Object.create(null) as Record<string, string>;
  let at = 0;
  for (let i = 0; i < wanted.length; i += 1) {
    const piece = wanted[i];
    if (piece === undefined) break;
    if (piece.kind === 'text') {
      if (!name.startsWith(piece.text, at)) return undefined;
      at += piece.text.length;
      continue;
    }
    const next = wanted[i + 1];
    let end = name.length;
    if (next?.kind === 'text') {
      const last = i + 2 === wanted.length;
      end = last ? name.length - next.text.length : name.indexOf(next.text, at + 1);
      if (last && !name.endsWith(next.text)) return undefined;
    }
    if (end < at + 1) return undefined;
    if (piece.name !== '') captures[piece.name] = name.slice(at, end);
    at = end;
  }
  return at === name.length ? captures : undefined;
}

function compileSegment(segment: string, pattern: string): PathSegment {
  if (segment === '**') return { deep: true, match: () => ({}), fixed: undefined };
  const wanted = pieces(segment, pattern);
  const [only] = wanted;
  const fixed = wanted.length === 1 && only?.kind === 'text' ? only.text : undefined;
  return { deep: false, match: (name) => matchPieces(wanted, name), fixed };
}

function matchSegments(wanted: readonly PathSegment[], names: readonly string[]): boolean {
  const [segment, ...rest] = wanted;
  const [name, ...below] = names;
  if (segment === undefined || name === undefined) return wanted.length === names.length;
  if (!segment.deep) return segment.match(name) !== undefined && matchSegments(rest, below);
  return matchSegments(rest, names) || (names.length > 1 && matchSegments(wanted, below));
}

/** Whether a pattern names a path, if a file were there. */
export function isNamedBy({ root, segments }: PathPattern, path: string): boolean {
  const start = root === '/' ? '/' : `${root}/`;
  return path.startsWith(start) && matchSegments(segments, path.slice(start.length).split('/'));
}

/**
 * Compiles a path pattern: `{name}` captures part of one name, `*` is any part of one, `**` any
 * number of folders. Relative patterns are below the working folder.
 *
 * @throws AppError CONFIG_INVALID when it can't be understood
 */
export function compilePathPattern(pattern: string, cwd: string): PathPattern {
  const absolute = pattern.startsWith('/') ? pattern : `${cwd}/${pattern}`;
  const parts = absolute.split('/').filter((part) => part !== '' && part !== '.');
  const names = [...absolute.matchAll(/\{([^}]*)\}/g)].map(([, name]) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  const invalid = (why: string): never => {
    throw new AppError('CONFIG_INVALID', `path pattern ${pattern}: ${why}`);
  };
  if (parts.length === 0 || parts.length > MAX_SEGMENTS) invalid('it names no file');
  if (parts.includes('..')) invalid('".." is not allowed');
  if (parts.at(-1) === '**') invalid('the last part must name files, such as **/stderr');
  if (twice !== undefined) invalid(`{${twice}} stands in it twice`);
  if (pattern.includes('\0')) invalid('it holds a NUL character');
  const free = parts.findIndex((part) => /[*{}]/.test(part));
  const fixed = free === -1 ? parts.length - 1 : Math.min(free, parts.length - 1);
  return {
    pattern,
    root: `/${parts.slice(0, fixed).join('/')}`,
    segments: parts.slice(fixed).map((part) => compileSegment(part, pattern)),
  };
}
