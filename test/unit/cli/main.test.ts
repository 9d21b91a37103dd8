import { describe, expect, it } from 'vitest'
import { minerStuck } from '../../../src/errors/miner.ts'
import { createFakeChain, createFakePorts, createServing, runMain } from '../../support/cli.ts'

describe('a command that serves', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('drains on the first %s and exits 0', async (signal) => {
    const { compose, finish, drains } = createServing()
    const run = await runMain(['coordinator', 'serve', '--json', '--manifest', `0x${'aa'.repeat(32)}`], {
      compose,
      onStart: (send) => setTimeout(() => send(signal), 300),
      onStdout: (text) => void (text.includes('"ready"') && setTimeout(finish, 500)),
    })
    expect(run.code).toBe(0)
    expect(drains()).toBe(1)
    expect(
      run.stdout
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { event: string }).event),
    ).toEqual(['ready', 'stopped'])
  })

  it('says that it drains, and a second signal forces the end', async () => {
    const { compose, finish } = createServing()
    const forced: string[] = []
    const run = await runMain(['coordinator', 'serve'], {
      compose,
      onStart: (send) => {
        setTimeout(() => send('SIGINT'), 300)
        setTimeout(() => send('SIGINT'), 400)
        setTimeout(() => send('SIGTERM'), 450)
        setTimeout(finish, 600)
      },
      onForceExit: (signal) => forced.push(signal),
    })
    expect(run.stderr).toContain('Press Ctrl-C again to stop at once')
    expect(forced).toEqual(['SIGINT', 'SIGTERM'])
  })

  it('warns when its profile, its public URL or its models do not fit', async () => {
    const { compose, finish } = createServing()
    finish()
    const { stderr } = await runMain(['coordinator', 'serve', '--public-url', 'https://other.example'], {
      compose,
      onStart: (send) => setTimeout(() => send('SIGTERM'), 300),
    })
    expect(stderr).toContain('warning: the profile says https://ada.example, not https://other.example')
    expect(stderr).toContain('warning: no model is listed')
  })
})

describe('a command that ends', () => {
  const hang = () => createFakePorts(createFakeChain(), { getChain: () => new Promise(() => {}) })
  it('stops at once on Ctrl-C, 130, and on SIGTERM, 143', async () => {
    expect((await runMain(['nodes'], { compose: hang(), onStart: (send) => setTimeout(() => send('SIGINT'), 200) })).code).toBe(130)
    expect((await runMain(['nodes'], { compose: hang(), onStart: (send) => setTimeout(() => send('SIGTERM'), 200) })).code).toBe(143)
  })

  it('waits for no thread where a model did not let go of its run, once it has said so and closed the rest', async () => {
    const told: string[] = []
    const getChain = () => Promise.reject(minerStuck({ models: 'a/b' }))
    const compose = createFakePorts(createFakeChain(), { getChain, dispose: async () => void told.push('closed') })
    const run = await runMain(['nodes'], { compose, onExitNow: (code) => told.push(`exit ${code}`) })
    expect([run.code, run.stderr, told]).toEqual([75, expect.stringContaining('(CUCKOO_MINER_STUCK)'), ['closed', 'exit 75']])
    await runMain(['nodes'], {
      compose: createFakePorts(createFakeChain(), { getChain: () => Promise.reject(new Error('no')) }),
      onExitNow: () => told.push('never'),
    })
    expect(told).not.toContain('never')
  })

  it('closes what it opened, also after an error', async () => {
    let disposed = 0
    const compose = createFakePorts(createFakeChain(), { getChain: () => Promise.reject(new Error('no')), dispose: async () => void disposed++ })
    expect((await runMain(['nodes'], { compose })).code).toBe(70)
    expect(disposed).toBe(1)
  })

  it.each([
    [['coordinator', 'serve'], 'coordinator'],
    [['miner', 'start', '--model', 'a/b'], 'miner'],
  ])('%j refuses a key that is nobody’s operator', async (argv, role) => {
    const { code, stderr } = await runMain(argv, { compose: createFakePorts(createFakeChain()) })
    expect(code).toBe(10)
    expect(stderr).toContain(`is not the operator of a ${role} on 'fakenet'`)
  })
})

describe('output', () => {
  it('has no colour and no spinner in a pipe, and people’s text stays away from --json', async () => {
    const compose = createFakePorts(createFakeChain())
    const people = await runMain(['stake', '5'], { compose, env: { NO_COLOR: '' } })
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is looked for
    expect(people.stdout + people.stderr).not.toMatch(/\u001b/)
    const json = await runMain(['stake', '5', '--json'], { compose })
    expect(json.stderr).toBe('')
    expect(() => JSON.parse(json.stdout)).not.toThrow()
  })

  it('is quiet when its reader has gone', async () => {
    let fail: (error: NodeJS.ErrnoException) => void = () => {}
    const { main } = await import('../../../src/cli/main.ts')
    const written: string[] = []
    const code = await main(['nodes'], {
      compose: createFakePorts(createFakeChain()),
      io: {
        env: { CUCKOO_HOME: '/nowhere/home' },
        platform: 'linux',
        stdin: process.stdin,
        stdout: {
          write: (text) => {
            written.push(text)
            fail(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
          },
          on: (_, listener) => {
            fail = listener
          },
        },
        stderr: { write: (text) => void written.push(text) },
        watchSignals: () => () => {},
        forceExit: () => {},
        exitNow: () => {},
      },
    })
    expect(code).toBe(0)
    expect(written).toHaveLength(1)
  })

  it('prints the version', async () => {
    expect((await runMain(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  })
})
