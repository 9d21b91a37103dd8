import { expect } from 'vitest'
import { commandEntries } from '../../src/cli/commands/index.ts'
import { createFakePorts, type FakeChain, runMain } from './cli.ts'

type Overrides = Parameters<typeof createFakePorts>[1]

/** Runs with --json, and checks what came out, one line, against the command's own output schema. */
export async function runJson(fake: FakeChain, argv: string[], overrides: Overrides = {}): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await runMain([...argv, '--json'], { compose: createFakePorts(fake, overrides) })
  expect(stderr).toBe('')
  expect(code).toBe(0)
  expect(stdout.trimEnd().split('\n')).toHaveLength(1)
  const entry = commandEntries.find(({ path }) => `${argv.join(' ')} `.startsWith(`${path} `))
  const command = await entry?.load()
  command?.output.parse(JSON.parse(stdout))
  return JSON.parse(stdout) as Record<string, unknown>
}

/** What a person sees in a terminal of 80 columns: stdout, stderr and the exit code. No line is wider than 80 columns, but for addresses and hashes. */
export async function runText(fake: FakeChain, argv: string[], options: { answers?: string[]; overrides?: Overrides } = {}): Promise<string> {
  const { answers, overrides = {} } = options
  const { code, stdout, stderr } = await runMain(argv, {
    terminal: true,
    compose: createFakePorts(fake, overrides),
    ...(answers === undefined ? {} : { answers }),
  })
  expect(stdout.split('\n').filter((line) => line.length > 80 && !line.includes('0x'))).toEqual([])
  return `${stdout}${stderr}exit ${code}`
}
