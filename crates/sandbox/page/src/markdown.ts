// Discord's markdown as a tree. What does not parse is text.

export type Node =
  | { t: 'text'; text: string }
  | { t: 'br' }
  | { t: 'strong' | 'em' | 'u' | 's' | 'spoiler'; kids: Node[] }
  | { t: 'quote' | 'small'; kids: Node[] }
  | { t: 'heading'; level: number; kids: Node[] }
  | { t: 'list'; ordered: boolean; start: number; items: Node[][] }
  | { t: 'code'; text: string }
  | { t: 'block'; lang: string; text: string }
  | { t: 'link'; url: string; kids: Node[] }
  | { t: 'user' | 'role' | 'channel' | 'guild'; id: string }
  | { t: 'command'; id: string; name: string }
  | { t: 'emoji'; id: string; name: string; animated: boolean }
  | { t: 'time'; seconds: number; format: string }
  | { t: 'everyone'; text: string };

/** What a place allows: embeds' titles and names know no blocks, and mentions of everyone only count in messages. */
export interface Rules {
  blocks: boolean;
  links: boolean;
}

const MESSAGE: Rules = { blocks: true, links: true };
const DEPTH = 12;

const LIST = /^( *)([*-]|\d{1,9}\.) +(?=\S)/;
const URL_RULE = /^https?:\/\/[^\s<]+[^<.,:;"'\]\s]/i;

export function parse(text: string, rules: Rules = MESSAGE): Node[] {
  return rules.blocks ? blocks(text, rules, 0, false) : inline(text, rules, 0);
}

function blocks(text: string, rules: Rules, depth: number, quoted: boolean): Node[] {
  const out: Node[] = [];
  let plain = '';
  const flush = (): void => {
    if (plain) out.push(...inline(plain, rules, depth));
    plain = '';
  };
  let at = 0;
  const lineEnd = (from: number): number => {
    const end = text.indexOf('\n', from);
    return end < 0 ? text.length : end;
  };
  while (at < text.length) {
    const rest = text.slice(at);
    const atStart = at === 0 || text[at - 1] === '\n';
    const fence = rest.startsWith('```') && /^```(?:([a-z0-9_+\-.#]+)\n)?\n*([\s\S]+?)\n*```\n?/i.exec(rest);
    if (fence) {
      // The newline before a block belongs to it.
      if (plain.endsWith('\n')) plain = plain.slice(0, -1);
      flush();
      out.push({ t: 'block', lang: (fence[1] ?? '').toLowerCase(), text: fence[2]! });
      at += fence[0].length;
      continue;
    }
    if (atStart && depth < DEPTH) {
      const end = lineEnd(at);
      const line = text.slice(at, end);
      const heading = /^(#{1,3}) +(?=\S)/.exec(line);
      const small = /^-# +(?=\S)/.exec(line);
      if (heading) {
        flush();
        out.push({
          t: 'heading',
          level: heading[1]!.length,
          kids: inline(line.slice(heading[0].length), rules, depth + 1),
        });
        at = end + 1;
        continue;
      }
      if (small) {
        flush();
        out.push({ t: 'small', kids: inline(line.slice(small[0].length), rules, depth + 1) });
        at = end + 1;
        continue;
      }
      if (!quoted && rest.startsWith('>>> ')) {
        flush();
        out.push({ t: 'quote', kids: blocks(rest.slice(4), rules, depth + 1, true) });
        return out;
      }
      if (!quoted && /^> /.test(line)) {
        flush();
        const lines: string[] = [];
        let from = at;
        while (from < text.length && text.startsWith('> ', from)) {
          const stop = lineEnd(from);
          lines.push(text.slice(from + 2, stop));
          from = stop + 1;
        }
        out.push({ t: 'quote', kids: blocks(lines.join('\n'), rules, depth + 1, true) });
        at = from;
        continue;
      }
      if (LIST.test(line)) {
        flush();
        const lines: string[] = [];
        let from = at;
        while (from < text.length) {
          const stop = lineEnd(from);
          const one = text.slice(from, stop);
          if (!LIST.test(one) && !(lines.length && /^ {2,}\S/.test(one))) break;
          lines.push(one);
          from = stop + 1;
        }
        out.push(list(lines, rules, depth + 1));
        at = from;
        continue;
      }
    }
    // A fence in the middle of a line begins a block too; otherwise a line, or all up to the next fence, is plain.
    const stop = Math.min(lineEnd(at) + 1, text.length);
    const next = text.indexOf('```', at + 1);
    const end = next > at && next < stop ? next : stop;
    plain += text.slice(at, end);
    at = end;
  }
  flush();
  // The newline that ends the text shows nothing.
  while (out.at(-1)?.t === 'br') out.pop();
  return out;
}

function list(lines: string[], rules: Rules, depth: number): Node {
  const first = LIST.exec(lines[0]!)!;
  const indent = first[1]!.length;
  const ordered = /\d/.test(first[2]!);
  const items: Node[][] = [];
  let at = 0;
  while (at < lines.length) {
    const mark = LIST.exec(lines[at]!);
    const content = mark ? lines[at]!.slice(mark[0].length) : lines[at]!.trim();
    at += 1;
    const own: string[] = [content];
    const below: string[] = [];
    while (at < lines.length) {
      const next = LIST.exec(lines[at]!);
      if (next && next[1]!.length <= indent) break;
      if (next || below.length) below.push(lines[at]!);
      else own.push(lines[at]!.trim());
      at += 1;
    }
    const kids = inline(own.join('\n'), rules, depth);
    if (below.length && depth < DEPTH && LIST.test(below[0]!)) kids.push(list(below, rules, depth + 1));
    items.push(kids);
  }
  return { t: 'list', ordered, start: ordered ? Number.parseInt(first[2]!, 10) : 1, items };
}

const SPECIAL = /[\\`*_~|<@[h\n]/i;

function inline(text: string, rules: Rules, depth: number): Node[] {
  const out: Node[] = [];
  let plain = '';
  const push = (node: Node): void => {
    if (plain) out.push({ t: 'text', text: plain });
    plain = '';
    out.push(node);
  };
  const nested = (inner: string): Node[] =>
    depth < DEPTH ? inline(inner, rules, depth + 1) : [{ t: 'text', text: inner }];
  let at = 0;
  while (at < text.length) {
    const rest = text.slice(at);
    const skip = rest.search(SPECIAL);
    if (skip !== 0) {
      plain += skip < 0 ? rest : rest.slice(0, skip);
      if (skip < 0) break;
      at += skip;
      continue;
    }
    const found = token(rest, text, at, rules, nested);
    if (found) {
      if (typeof found.node === 'string') plain += found.node;
      else push(found.node);
      at += found.length;
    } else {
      plain += text[at];
      at += 1;
    }
  }
  if (plain) out.push({ t: 'text', text: plain });
  return out;
}

type Found = { node: Node | string; length: number } | null;

const SPANS: [string, RegExp, 'strong' | 'em' | 'u' | 's' | 'spoiler'][] = [
  ['*', /^\*\*([\s\S]+?)\*\*(?!\*)/, 'strong'],
  ['_', /^__([\s\S]+?)__(?!_)/, 'u'],
  ['*', /^\*(?=\S)((?:\*\*|\\[\s\S]|\s+(?:\\[\s\S]|[^\s*\\]|\*\*)|[^\s*\\])+?)\*(?!\*)/, 'em'],
  ['_', /^_((?:__|\\[\s\S]|[^\\_])+?)_(?![A-Za-z0-9_])/, 'em'],
  ['~', /^~~([\s\S]+?)~~(?!_)/, 's'],
  ['|', /^\|\|([\s\S]+?)\|\|/, 'spoiler'],
];

function token(rest: string, text: string, at: number, rules: Rules, nested: (inner: string) => Node[]): Found {
  const first = rest[0]!;
  if (first === '\n') return { node: { t: 'br' }, length: 1 };
  if (first === '\\') {
    const escaped = /^\\([^0-9A-Za-z\s])/.exec(rest);
    // The shrug keeps its arm.
    if (escaped && !rest.startsWith('\\_(ツ)_/')) return { node: escaped[1]!, length: 2 };
    return null;
  }
  if (first === '`') {
    const code = /^(`+)([\s\S]*?[^`])\1(?!`)/.exec(rest);
    if (!code) return null;
    const inner = code[2]!;
    return { node: { t: 'code', text: code[1]!.length > 1 ? inner.replace(/^ | $/g, '') : inner }, length: code[0].length };
  }
  for (const [mark, rule, t] of SPANS) {
    if (mark !== first) continue;
    if (mark === '_' && t === 'em' && /[A-Za-z0-9]/.test(text[at - 1] ?? '')) continue;
    const span = rule.exec(rest);
    if (span) return { node: { t, kids: nested(span[1]!) }, length: span[0].length };
  }
  if (first === '@') {
    const everyone = /^@(everyone|here)\b/.exec(rest);
    return everyone ? { node: { t: 'everyone', text: everyone[0] }, length: everyone[0].length } : null;
  }
  if (first === 'h' || first === 'H') {
    if (!rules.links || /[A-Za-z0-9]/.test(text[at - 1] ?? '')) return null;
    const url = URL_RULE.exec(rest);
    if (!url) return null;
    let address = url[0];
    // A bracket that nothing in the address has opened ends the sentence around it.
    while (address.endsWith(')') && count(address, '(') < count(address, ')')) address = address.slice(0, -1);
    return { node: { t: 'link', url: address, kids: [{ t: 'text', text: address }] }, length: address.length };
  }
  if (first === '[') {
    if (!rules.links) return null;
    const link = /^\[((?:\[[^\]]*\]|[^[\]]|\](?=[^[]*\]))+)\]\(<?(https?:\/\/[^\s<>]*?(?:\([^\s()]*\)[^\s<>()]*?)*)>?(?: +"[^"]*")?\)/.exec(rest);
    if (!link) return null;
    return { node: { t: 'link', url: link[2]!, kids: nested(link[1]!) }, length: link[0].length };
  }
  if (first === '<') return angle(rest, rules);
  return null;
}

function count(text: string, mark: string): number {
  return text.split(mark).length - 1;
}

function angle(rest: string, rules: Rules): Found {
  const found = /^<(@!?|@&|#|a?:\w{1,32}:|\/[-\w\p{L}\p{N} ]{1,100}:|t:|id:)([^>\s]{0,40})>/u.exec(rest);
  if (found) {
    const [all, kind, value] = found as unknown as [string, string, string];
    const done = (node: Node): Found => ({ node, length: all.length });
    const isId = /^\d{15,21}$/.test(value);
    if (kind === '@&' && isId) return done({ t: 'role', id: value });
    if (kind.startsWith('@') && isId) return done({ t: 'user', id: value });
    if (kind === '#' && isId) return done({ t: 'channel', id: value });
    if (kind === 'id:' && /^(customize|browse|guide|home|linked-roles(:\d+)?)$/.test(value)) return done({ t: 'guild', id: value });
    if (kind.startsWith('/') && isId) return done({ t: 'command', id: value, name: kind.slice(1, -1) });
    if (kind.endsWith(':') && kind.includes(':', kind.startsWith('a') ? 1 : 0) && kind !== 't:' && isId) {
      const animated = kind.startsWith('a');
      return done({ t: 'emoji', id: value, name: kind.slice(animated ? 2 : 1, -1), animated });
    }
    const time = kind === 't:' && /^(-?\d{1,13})(?::([tTdDfFRsS]))?$/.exec(value);
    if (time) return done({ t: 'time', seconds: Number(time[1]), format: time[2] ?? 'f' });
  }
  const link = rules.links && /^<(https?:\/\/[^\s<>]+)>/i.exec(rest);
  if (link) return { node: { t: 'link', url: link[1]!, kids: [{ t: 'text', text: link[1]! }] }, length: link[0].length };
  return null;
}

const EMOJI = /^(?:\p{Extended_Pictographic}|\p{Regional_Indicator}{2}|[#*0-9]️?⃣)(?:️|\p{Emoji_Modifier}|‍\p{Extended_Pictographic}|[\u{e0020}-\u{e007f}])*/u;

/** Returns whether a message is emojis only, few enough to be shown large. */
export function isOnlyEmojis(nodes: Node[]): boolean {
  let found = 0;
  for (const node of nodes) {
    if (node.t === 'emoji') found += 1;
    else if (node.t === 'br') continue;
    else if (node.t === 'text') {
      let rest = node.text.trim();
      while (rest) {
        const one = EMOJI.exec(rest);
        if (!one) return false;
        found += 1;
        rest = rest.slice(one[0].length).trimStart();
      }
    } else return false;
  }
  return found > 0 && found <= 30;
}
