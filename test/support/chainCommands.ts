import { expect } from 'vitest'
import { commandEntries } from '../../src/cli/commands/index.ts'
import type { Ports } from '../../src/cli/ports.ts'
import type { Signer } from '../../src/domain/ports.ts'
import type { TestNetwork } from './chainFixtures.ts'
import { createFakePorts, runMain } from './cli.ts'

/** A line of JSON that a command prints. */
export type Line = Record<string, unknown>

export interface ChainCommands {
  /** Runs a command as `account` on the real chain; the lines of JSON that it prints, each as its schema says, or its error. */
  cuckoo(account: Signer, ...argv: string[]): Promise<{ code: number; lines: Line[]; error: Line | undefined }>
  /** The last line of a command that succeeds. */
  run(account: Signer, ...argv: string[]): Promise<Line>
  /** paths of the commands run so far */
  readonly played: ReadonlySet<string>
}

/** Commands as people type them, on the chain of `network`; `ports` are those that a test needs besides chain and keys. */
export function createChainCommands(network: () => TestNetwork, ports: Partial<Ports> = {}): ChainCommands {
  const played = new Set<string>()
  const cuckoo: ChainCommands['cuckoo'] = async (account, ...argv) => {
    const { chain } = network()
    const compose = createFakePorts({ chain } as never, {
      getChain: async () => chain,
      getSigner: async () => account,
      getOwn: async () => ({ name: 'own', address: account.address }),
      ...ports,
    })
    const { code, stdout, stderr } = await runMain([...argv, '--json', '--yes'], { compose })
    const entry = commandEntries.find(({ path }) => `${argv.join(' ')} `.startsWith(`${path} `))
    const { output } = (await entry?.load()) ?? {}
    played.add(entry?.path ?? '')
    const parse = (text: string) => text.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Line] : []))
    for (const line of parse(stdout)) expect({ argv, problem: output?.safeParse(line).error?.message }).toEqual({ argv, problem: undefined })
    return { code, lines: parse(stdout), error: parse(stderr).find((line) => 'error' in line)?.['error'] as Line | undefined }
  }
  return {
    cuckoo,
    run: async (account, ...argv) => {
      const { code, lines, error } = await cuckoo(account, ...argv)
      expect(code, JSON.stringify(error)).toBe(0)
      return lines.at(-1) ?? {}
    },
    played,
  }
}
