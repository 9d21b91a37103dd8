import { PassThrough } from 'node:stream'
import { stripVTControlCharacters } from 'node:util'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createOutput } from '../../../src/cli/output.ts'

/** A terminal of 80 columns, and what was written to it. */
function createTerminal() {
  let written = ''
  const stream = Object.assign(new PassThrough(), {
    isTTY: true,
    columns: 80,
    cursorTo: () => stream.write('\r'),
    moveCursor: () => true,
    clearLine: () => stream.write('<cleared>'),
    getWindowSize: () => [80, 24],
  })
  stream.on('data', (chunk: Buffer) => {
    written += String(chunk)
  })
  return { stream, read: () => written }
}

function createScreen(options: { json?: boolean; noColor?: boolean } = {}) {
  const [stdout, stderr] = [createTerminal(), createTerminal()]
  const output = createOutput(
    { stdin: process.stdin, stdout: stdout.stream, stderr: stderr.stream },
    { json: false, noColor: false, ...options, program: 'cuckoo', onClosed: () => {} },
  )
  return { output, stdout, stderr }
}

afterEach(() => vi.unstubAllEnvs())

describe('a line', () => {
  it('is folded to a terminal between words, inside its own indent, and stays as it is where it fits', () => {
    const { output, stdout } = createScreen({ noColor: true })
    output.line(`  ${'word '.repeat(20)}end`)
    output.line('  two  spaces')
    expect(stdout.read()).toBe(`  ${'word '.repeat(14)}word\n    ${'word '.repeat(5)}end\n  two  spaces\n`)
  })

  it('is not shortened by its colours', () => {
    const { output, stdout } = createScreen()
    const text = output.style('bold', 'x'.repeat(70)) + output.style('dim', ` ${'y'.repeat(9)}`)
    expect(text.length).toBeGreaterThan(80)
    output.line(text)
    expect(stdout.read()).toBe(`${text}\n`)
  })
})

describe('with --json', () => {
  it('nothing that a peer says reaches a terminal as a command to it, and all of it reaches a parser', () => {
    const { output, stdout, stderr } = createScreen({ json: true })
    const rings = '\u001b[2J\u009b1m\u007f\u0007 é\u00a0'
    output.record({ url: rings, wei: 10n ** 20n })
    output.warn(rings)
    for (const text of [stdout.read(), stderr.read()]) expect(text.trimEnd()).not.toMatch(/\p{Cc}/u)
    expect(JSON.parse(stdout.read())).toEqual({ url: rings, wei: '100000000000000000000' })
    expect(JSON.parse(stderr.read())).toEqual({ warning: { message: rings } })
  })
})

describe('the spinner', () => {
  it('clears its own line once, and nothing that is written after it stopped', async () => {
    vi.stubEnv('CI', undefined)
    vi.stubEnv('TERM', 'xterm')
    const { output, stderr } = createScreen()
    const spinner = await output.spin('waiting for a miner')
    expect(stripVTControlCharacters(stderr.read())).toContain('waiting for a miner')
    spinner.stop()
    const before = stderr.read()
    for (const piece of ['Once', ' upon']) {
      spinner.stop()
      output.write(piece)
    }
    expect(stderr.read()).toBe(before)
  })

  it('with an empty text starts at its first update, and starts again after a stop', async () => {
    vi.stubEnv('CI', undefined)
    vi.stubEnv('TERM', 'xterm')
    const { output, stderr } = createScreen()
    const spinner = await output.spin('')
    expect(stderr.read()).toBe('')
    for (const text of ['1 of 2', '2 of 2']) {
      spinner.update(text)
      expect(stripVTControlCharacters(stderr.read())).toContain(text)
      spinner.stop()
    }
  })

  it('shows nothing on a terminal of no size', async () => {
    vi.stubEnv('CI', undefined)
    vi.stubEnv('TERM', 'xterm')
    const { output, stderr } = createScreen()
    stderr.stream.columns = 0
    const spinner = await output.spin('waiting')
    spinner.stop()
    expect(stderr.read()).toBe('')
  })

  it('shows nothing with --json', async () => {
    const { output, stderr } = createScreen({ json: true })
    const spinner = await output.spin('waiting')
    spinner.update('still')
    spinner.stop()
    expect(stderr.read()).toBe('')
  })
})
