/** Writes src/api/openapi.json from the route values; with `--check` fails when the committed file differs. */
import { readFileSync, writeFileSync } from 'node:fs'
import { createOpenApi } from '../src/api/openApi.ts'

const file = new URL('../src/api/openapi.json', import.meta.url)
const text = `${JSON.stringify(createOpenApi(), null, 2)}\n`
if (!process.argv.includes('--check')) writeFileSync(file, text)
else if (readFileSync(file, 'utf8') !== text) {
  console.error('src/api/openapi.json is not what the routes say: run `node .ci/generateOpenApi.ts`')
  process.exitCode = 1
}
