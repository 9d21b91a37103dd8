import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

/** One project per kind of test, so that `npm run test:unit` and its like run alone. Nothing is retried. */
const project = (name: string, testTimeout: number, fileParallelism = true) => ({
  extends: true as const,
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout,
    hookTimeout: 60_000,
    fileParallelism,
  },
})

export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    // For the plain pipelines that tests compare with; cuckoo's own engine sets it by itself.
    env: { ORT_DISABLE_TELEMETRY: '1' },
    retry: 0,
    pool: 'forks',
    maxWorkers: 2,
    restoreMocks: true,
    projects: [
      project('unit', 10_000),
      project('store', 60_000),
      project('api', 30_000),
      project('chain', 60_000),
      project('inference', 120_000),
      // Whole networks of processes: one at a time on two cores.
      project('e2e', 240_000, false),
    ],
  },
})
