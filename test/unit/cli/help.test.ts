import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { commandEntries } from '../../../src/cli/commands/index.ts'
import { toFields } from '../../../src/cli/fields.ts'
import { globalFlags } from '../../../src/config/keys.ts'
import { runMain } from '../../support/cli.ts'

describe('cuckoo --help', () => {
  it('lists every first word under its topic, then the options of every command', async () => {
    const { code, stdout, stderr } = await runMain(['--help'])
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatchInlineSnapshot(`
      "Usage: cuckoo <command> [options]

      A decentralised marketplace of AI inference: stake, vote, coordinate, mine, ask.

      Stake:
        account                    keys of this machine: new, import, list, show …
        stake                      put CAI into free: no weight, no risk yet
        withdraw                   take free and released CAI out
        bond                       move free CAI to the own node's bond
        unbond                     start the thaw of bond
        vote                       move free CAI to the votes of a node
        unvote                     start the thaw of votes
        status                     show every bucket of an account with its dates

      Earn:
        rewards                    show what a node earns, per epoch and per year
        claim                      move a node's earnings to its owner's free
        vouchers                   what coordinators signed to pay: list, redeem …
        escrow                     a coordinator's money for miners: deposit, lines …
        fund                       give CAI to the rewards of a role
        pour                       give the reward pool to both roles

      Be a node:
        register                   become a node: miner or coordinator
        node                       the own node: profile, operator, rest, leave
        nodes                      list the registered nodes
        coordinator                serve apps
        miner                      run tasks: start, status, pause, drain …

      Use it:
        apps                       API keys of a coordinator: create, list, revoke
        run                        send a prompt, print the answer or keep the image
        models                     what can be run
        receipt                    proofs of work done: show, verify

      Court:
        challenge                  take a false result to court
        report                     two signatures that contradict each other
        jury                       the court: status, commit, reveal, conclude …
        appeal                     appeal against a verdict

      Networks:
        deploy                     put the contracts on a chain
        devnet                     a whole network on this machine: start, stop …
        faucet                     get CAI on the devnet; says where elsewhere
        demo                       play the whole network once, with real processes

      This tool:
        completion                 print completions for bash, zsh or fish

      Options of every command:
        --json                     print results and errors as JSON
        --network <name>           devnet, cuckoo, cuckoo-sepolia or one of your own;
                                   the devnet while it runs
        --rpc-url <url>            RPC of the chain, instead of the deployment's
        --deployment <file|url>    contract addresses, as \`deploy --out\` writes them
        --home <dir>               accounts, networks, models, stores
        --account <name>           the account that signs
        --private-key-file <file>  a file with a key instead of an account
        --password-file <file>     a file whose first line is the password
        --password-fd <number>     an open file descriptor to read the password from
        -y, --yes                  answer questions with yes
        --timeout <duration>       longest wait for chain and coordinator, like 90s or
                                   5m (default: 2m)
        --log-level <level>        log on stderr: silent, error, warn, info, debug
                                   (default: warn)
        --no-color                 no colours
        -h, --help                 print help, also for a command
        -V, --version              print the version

      \`cuckoo <command> --help\` shows examples. Options may also stand in the
      environment, like CUCKOO_NETWORK, or in $CUCKOO_HOME/config.json.
      "
    `)
  })

  it.each([[[]], [['help']], [['-h']], [['--json', '--help']]])('is what %j prints too', async (argv) => {
    expect((await runMain(argv)).stdout).toBe((await runMain(['--help'])).stdout)
  })

  it('loads neither zod, viem, pino, transformers nor commander', () => {
    const main = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url))
    const hook = `
      import { registerHooks } from 'node:module'
      const loaded = []
      registerHooks({ load(url, context, next) { loaded.push(url); return next(url, context) } })
      process.on('exit', () => process.stderr.write(JSON.stringify(loaded)))
      const { main } = await import(${JSON.stringify(main)})
      process.exitCode = await main(process.argv.slice(1))`
    const run = (argv: string[]) => {
      const { stderr } = spawnNode(['--input-type=module', '-e', hook, '--', ...argv])
      return (JSON.parse(stderr) as string[]).map((url) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1]).filter((name) => name !== undefined)
    }
    expect(run(['--help'])).toEqual([])
    expect(run(['--version'])).toEqual(expect.arrayContaining(['commander']))
    // The same probe sees zod where a command is chosen: it can turn red.
    const chosen = run(['stake', '--help'])
    expect(chosen).toEqual(expect.arrayContaining(['zod']))
    for (const heavy of ['viem', 'pino', '@huggingface/transformers', 'fastify']) expect(chosen).not.toContain(heavy)
  })
})

function spawnNode(args: string[]): { stderr: string } {
  const script = `const { spawnSync } = require('node:child_process'); const r = spawnSync(process.execPath, JSON.parse(process.argv[1])); process.stdout.write(r.stderr)`
  return { stderr: execFileSync(process.execPath, ['-e', script, JSON.stringify(args)], { encoding: 'utf8' }) }
}

describe('help of a command', () => {
  it('shows usage, arguments, options with defaults, and examples', async () => {
    const { code, stdout } = await runMain(['withdraw', '--help'])
    expect(code).toBe(0)
    expect(stdout).toMatchInlineSnapshot(`
      "Usage: cuckoo withdraw [options] [amount|all]

      Takes CAI out of the staking contract: thaws that are over first become free,
      then free CAI is paid out. What still thaws stays; \`cuckoo status\` shows until
      when. Open disputes about a node can hold its bond for a while, as much of it as
      they could take.

      Arguments:
        amount|all       CAI, or all

      Options:
        --dry-run        say what would be sent and what it costs, and send nothing
        --wait-finality  wait until the block is final
        --to <address>   address that gets it; default: the account
        -h, --help       print this help

      Examples:
        cuckoo withdraw               all that is free or released
        cuckoo withdraw 100 --to 0x…  100 CAI to another address

      Options of every command (\`cuckoo --help\` describes them):
        --json --network --rpc-url --deployment --home --account --private-key-file
        --password-file --password-fd --yes --timeout --log-level --no-color
      "
    `)
  })

  it('shows the negative of a switch only, repeats, choices and variables', async () => {
    const { stdout } = await runMain(['miner', 'start', '--help'])
    expect(stdout).toContain('--model <model>')
    expect(stdout).toContain('may be repeated')
    expect(stdout).toContain('auto, cpu, webgpu, cuda')
    expect(stdout).toContain('env: CUCKOO_MODELS_DIR')
    expect(stdout).not.toContain('--no-allow-private')
  })

  it('is what `help <command>` prints too', async () => {
    expect((await runMain(['help', 'node', 'show'])).stdout).toBe((await runMain(['node', 'show', '--help'])).stdout)
  })

  it.each(commandEntries.map(({ path }) => path))('%s fits 80 columns and has examples of itself', async (path) => {
    const { code, stdout } = await runMain([...path.split(' '), '--help'])
    expect(code).toBe(0)
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([])
    expect(stdout).toContain('Examples:')
  })
})

describe('every command', () => {
  it('has a one-line summary, examples that start with its words, and an output schema', async () => {
    for (const entry of commandEntries) {
      const command = await entry.load()
      expect(entry.summary.length, entry.path).toBeLessThanOrEqual(55)
      expect(entry.summary, entry.path).toMatch(/^[a-z].*[^.]$/)
      expect(
        command.examples.some((example) => example.command.includes(`cuckoo ${entry.path}`)),
        entry.path,
      ).toBe(true)
      expect(() => toFields(command.args, 'argument'), entry.path).not.toThrow()
      expect(command.output, entry.path).toBeDefined()
    }
  })

  it('has no option that a global option would swallow', async () => {
    const globals = globalFlags.flatMap(([, key]) => [key.flag, key.short])
    for (const entry of commandEntries) {
      const own = toFields((await entry.load()).options, 'option').flatMap((field) => [field.name, field.short])
      expect(
        own.filter((flag) => flag !== undefined && globals.includes(flag)),
        entry.path,
      ).toEqual([])
    }
  })

  it('parses the examples of its own help', async () => {
    for (const entry of commandEntries) {
      const { examples, options } = await entry.load()
      const known = [...toFields(options, 'option').flatMap((field) => [field.name, field.short]), ...globalFlags.map(([, key]) => key.flag)]
      const flags = examples.filter(({ command }) => command.startsWith(`cuckoo ${entry.path}`)).flatMap(({ command }) => command.match(/ --[a-z-]+/g) ?? [])
      for (const flag of flags) expect(known, `${entry.path}: ${flag}`).toContain(flag.trim())
    }
  })
})
