// Builds dist/ from src/. With --check, compares with dist/ and writes nothing; with --watch, builds on every save.
import { context, build } from 'esbuild';
import { readFile, writeFile, mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import path from 'node:path';

const here = path.dirname(fileURLToPath(import.meta.url));
const check = process.argv.includes('--check');
const watch = process.argv.includes('--watch');

const options = {
  absWorkingDir: here,
  entryPoints: { app: 'src/main.tsx' },
  bundle: true,
  minify: !watch,
  format: 'esm',
  target: ['chrome120', 'firefox121', 'safari17'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  outdir: 'dist',
  legalComments: 'eof',
  charset: 'utf8',
  logLevel: 'info',
  write: !check,
};

/** The licences of what is built in, which ask to come with it. */
async function licences() {
  const texts = ['preact', '@preact/signals', '@preact/signals-core', 'highlight.js'].map(async (name) => {
    const text = await readFile(path.join(here, 'node_modules', name, 'LICENSE'), 'utf8');
    return `${name}\n\n${text.trim()}\n`;
  });
  return Buffer.from((await Promise.all(texts)).join('\n\n'));
}

/** Files that are no code. */
async function others() {
  return [
    ['index.html', await readFile(path.join(here, 'src/index.html'))],
    ['licences.txt', await licences()],
  ];
}

if (watch) {
  await copyPage();
  await (await context(options)).watch();
} else {
  const result = await build(options);
  if (check) {
    const built = [...result.outputFiles.map((file) => [file.path, Buffer.from(file.contents)])];
    for (const [name, contents] of await others()) built.push([path.join(here, 'dist', name), contents]);
    for (const [file, contents] of built) {
      const committed = await readFile(file).catch(() => Buffer.alloc(0));
      if (!committed.equals(contents)) {
        console.error(`${path.relative(here, file)} is not what src/ builds; run npm run build in crates/sandbox/page, and commit it`);
        process.exitCode = 1;
      }
    }
    const size = built.reduce((sum, [, contents]) => sum + gzipSync(contents, { level: 9 }).length, 0);
    console.log(`page: ${(size / 1024).toFixed(0)} KiB compressed`);
    if (size > 300 * 1024) {
      console.error('The page must stay below 300 KiB, compressed.');
      process.exitCode = 1;
    }
  } else {
    await copyPage();
  }
}

async function copyPage() {
  await mkdir(path.join(here, 'dist'), { recursive: true });
  for (const [name, contents] of await others()) await writeFile(path.join(here, 'dist', name), contents);
}
