import { defineConfig } from 'vitest/config';

export default defineConfig({ test: { include: ['example/**/*.test.ts', 'tests/**/*.test.ts'], testTimeout: 40_000 } });
