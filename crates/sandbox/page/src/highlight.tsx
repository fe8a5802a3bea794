// Colours for code, by highlight.js. Its tree becomes elements; its HTML is never used.

import hljs from 'highlight.js/lib/core';
import bash from 'highlight.js/lib/languages/bash';
import c from 'highlight.js/lib/languages/c';
import cpp from 'highlight.js/lib/languages/cpp';
import csharp from 'highlight.js/lib/languages/csharp';
import css from 'highlight.js/lib/languages/css';
import diff from 'highlight.js/lib/languages/diff';
import elixir from 'highlight.js/lib/languages/elixir';
import go from 'highlight.js/lib/languages/go';
import ini from 'highlight.js/lib/languages/ini';
import java from 'highlight.js/lib/languages/java';
import javascript from 'highlight.js/lib/languages/javascript';
import json from 'highlight.js/lib/languages/json';
import kotlin from 'highlight.js/lib/languages/kotlin';
import lua from 'highlight.js/lib/languages/lua';
import markdown from 'highlight.js/lib/languages/markdown';
import php from 'highlight.js/lib/languages/php';
import python from 'highlight.js/lib/languages/python';
import ruby from 'highlight.js/lib/languages/ruby';
import rust from 'highlight.js/lib/languages/rust';
import sql from 'highlight.js/lib/languages/sql';
import swift from 'highlight.js/lib/languages/swift';
import typescript from 'highlight.js/lib/languages/typescript';
import xml from 'highlight.js/lib/languages/xml';
import yaml from 'highlight.js/lib/languages/yaml';
import type { ComponentChild } from 'preact';
import { ansi } from './ansi';
import { plain } from './text';

const languages = {
  bash, c, cpp, csharp, css, diff, elixir, go, ini, java, javascript, json, kotlin, lua, markdown, php, python, ruby,
  rust, sql, swift, typescript, xml, yaml,
};
for (const [name, language] of Object.entries(languages)) hljs.registerLanguage(name, language);

interface Tree {
  scope?: string;
  children: (Tree | string)[];
}

function draw(node: Tree | string): ComponentChild {
  if (typeof node === 'string') return plain(node);
  const kids = node.children.map(draw);
  if (!node.scope) return <>{kids}</>;
  return <span class={`hl-${node.scope.split('.')[0]!.replace(/[^\w-]/g, '')}`}>{kids}</span>;
}

export function highlight(text: string, lang: string): ComponentChild {
  if (lang === 'ansi') return ansi(text);
  if (!lang || !hljs.getLanguage(lang)) return plain(text);
  const result = hljs.highlight(text, { language: lang, ignoreIllegals: true });
  const tree = (result as unknown as { _emitter: { rootNode: Tree } })._emitter.rootNode;
  return draw(tree);
}
