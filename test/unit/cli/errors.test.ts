import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { createFakeChain, createFakePorts, runMain } from '../../support/cli.ts'

const home = mkdtempSync(join(tmpdir(), 'cuckoo-unit-cli-'))
afterAll(() => rmSync(home, { recursive: true, force: true }))

/** What a person sees of a command line that fails. */
async function fail(argv: string[], env: Record<string, string> = {}): Promise<string> {
  const { code, stdout, stderr } = await runMain(argv, { env: { CUCKOO_HOME: home, ...env }, compose: createFakePorts(createFakeChain()) })
  expect(stdout).toBe('')
  return `${stderr}exit ${code}`
}

describe('what is typed wrong', () => {
  it('an unknown command, with the one that was meant', async () => {
    expect(await fail(['stkae', '5', '--json-lines'])).toMatchInlineSnapshot(`
      "error: There is no command 'cuckoo stkae'. (CUCKOO_CLI_COMMAND_UNKNOWN)
      hint: Did you mean \`cuckoo stake\`?
      exit 2"
    `)
    expect(await fail(['deregister'])).toMatchInlineSnapshot(`
      "error: There is no command 'cuckoo deregister'. (CUCKOO_CLI_COMMAND_UNKNOWN)
      hint: Did you mean \`cuckoo node deregister\`?
      exit 2"
    `)
    expect(await fail(['node', 'foo'])).toMatchInlineSnapshot(`
      "error: There is no command 'cuckoo node foo'. (CUCKOO_CLI_COMMAND_UNKNOWN)
      hint: \`cuckoo node --help\` lists the commands.
      exit 2"
    `)
  })
  it('a word that only another group knows, after a group and after help', async () => {
    expect(await fail(['receipt', 'list'])).toMatchInlineSnapshot(`
      "error: There is no command 'cuckoo receipt list'. (CUCKOO_CLI_COMMAND_UNKNOWN)
      hint: \`cuckoo receipt --help\` lists the commands.
      exit 2"
    `)
    expect(await fail(['help', 'frobnicate'])).toMatchInlineSnapshot(`
      "error: There is no command 'cuckoo frobnicate'. (CUCKOO_CLI_COMMAND_UNKNOWN)
      hint: \`cuckoo --help\` lists the commands.
      exit 2"
    `)
    expect(await fail(['help', 'node', 'shwo'])).toMatchInlineSnapshot(`
      "error: There is no command 'cuckoo node shwo'. (CUCKOO_CLI_COMMAND_UNKNOWN)
      hint: Did you mean \`cuckoo node show\`?
      exit 2"
    `)
  })
  it('a task id that is too short', async () => {
    expect(await fail(['receipt', 'verify', '0x12'])).toMatchInlineSnapshot(`
      "error: 0x12 is not a receipt: a task id has 64 digits after 0x, not 2. (CUCKOO_CLI_RECEIPT_UNREADABLE)
      hint: \`cuckoo receipt show <taskId> --json\` prints one that can be kept in a file.
      exit 65"
    `)
  })
  it('more than there is', async () => {
    expect(await fail(['withdraw', '5'])).toMatchInlineSnapshot(`
      "error: Nothing is free or released. (CUCKOO_CLI_NOTHING_TO_DO)
      hint: \`cuckoo unbond\` and \`cuckoo unvote\` start a thaw.
      exit 10"
    `)
    expect(await fail(['unbond', '5'])).toMatchInlineSnapshot(`
      "error: There is no bond to take out. (CUCKOO_CLI_NOTHING_TO_DO)
      hint: See \`cuckoo status\`.
      exit 10"
    `)
  })
  it('a bond of the devnet that no miner may have', async () => {
    expect(await fail(['devnet', 'start', '--miner-bond', '20000'])).toMatchInlineSnapshot(`
      "error: '20000' (--miner-bond) is not more than 20000 CAI. (CUCKOO_CLI_VALUE_INVALID)
      hint: \`cuckoo devnet start --help\` shows what it takes.
      exit 2"
    `)
  })
  it('an app of a node that is no coordinator', async () => {
    expect(await fail(['apps', 'create', 'mine', '--coordinator', '0x2222222222222222222222222222222222222222'])).toMatchInlineSnapshot(`
      "error: 0x2222222222222222222222222222222222222222 is not a registered coordinator on 'fakenet'. (CUCKOO_CLI_COORDINATOR_NOT_REGISTERED)
      hint: See them with \`cuckoo nodes --role coordinator\`; become one with \`cuckoo register coordinator\`.
      exit 10"
    `)
  })
  it('half a command', async () => {
    expect(await fail(['account'])).toMatchInlineSnapshot(`
      "error: \`cuckoo account\` needs one more word: new, import, export, list, show. (CUCKOO_CLI_COMMAND_INCOMPLETE)
      hint: \`cuckoo account --help\` says what each does.
      exit 2"
    `)
  })
  it('an unknown option', async () => {
    expect(await fail(['stake', '5', '--acount', 'alice'])).toMatchInlineSnapshot(`
      "error: \`cuckoo stake\` has no option '--acount'. (CUCKOO_CLI_FLAG_UNKNOWN)
      hint: Did you mean --account?
      exit 2"
    `)
    expect(await fail(['--nonsense'])).toMatchInlineSnapshot(`
      "error: \`cuckoo\` has no option '--nonsense'. (CUCKOO_CLI_FLAG_UNKNOWN)
      hint: \`cuckoo --help\` lists the options.
      exit 2"
    `)
  })
  it('an option that would do nothing beside others', async () => {
    expect(await fail(['demo', '--image', '--tasks', '5'])).toMatchInlineSnapshot(`
      "error: --tasks means nothing beside --image. (CUCKOO_CLI_OPTION_UNFIT)
      hint: Leave it out.
      exit 2"
    `)
    expect(await fail(['demo', '--out', 'a.png'])).toMatchInlineSnapshot(`
      "error: --out means nothing without --image. (CUCKOO_CLI_OPTION_UNFIT)
      hint: Leave it out.
      exit 2"
    `)
    expect(await fail(['miner', 'install-service', '--uninstall', '--print'])).toMatchInlineSnapshot(`
      "error: --print means nothing beside --uninstall. (CUCKOO_CLI_OPTION_UNFIT)
      hint: Leave it out.
      exit 2"
    `)
  })
  it('a folder that is not there', async () => {
    expect(await fail(['demo', '--image', '--out', '/no/such/a.png'])).toMatchInlineSnapshot(`
      "error: The file /no/such/a.png cannot be written: there is no folder /no/such. (CUCKOO_CLI_FOLDER_MISSING)
      hint: Make the folder, or give another path.
      exit 2"
    `)
  })
  it("a prompt that starts with '-'", async () => {
    expect(await fail(['run', '-5 degrees are'])).toMatchInlineSnapshot(`
      "error: \`cuckoo run\` has no option '-5 degrees are'. (CUCKOO_CLI_FLAG_UNKNOWN)
      hint: \`cuckoo run --help\` lists the options. For a text that starts with '-', put -- before it: cuckoo run -- '-5 degrees are'
      exit 2"
    `)
  })
  it('a missing argument, one too many, a missing value', async () => {
    expect(await fail(['stake'])).toMatchInlineSnapshot(`
      "error: \`cuckoo stake\` needs <amount|all>. (CUCKOO_CLI_ARGUMENT_MISSING)
      hint: Write it like: cuckoo stake <amount|all>
      exit 2"
    `)
    expect(await fail(['stake', '5', '6'])).toMatchInlineSnapshot(`
      "error: \`cuckoo stake\` does not know what to do with '6'. (CUCKOO_CLI_ARGUMENT_EXCESS)
      hint: Write it like: cuckoo stake <amount|all>. Put a text with spaces in quotes.
      exit 2"
    `)
    expect(await fail(['demo', 'fox'])).toMatchInlineSnapshot(`
      "error: \`cuckoo demo\` does not know what to do with 'fox'. (CUCKOO_CLI_ARGUMENT_EXCESS)
      hint: It takes options alone: \`cuckoo demo --help\` lists them.
      exit 2"
    `)
    expect(await fail(['stake', '5', '--timeout'])).toMatchInlineSnapshot(`
      "error: The option '--timeout' needs a value. (CUCKOO_CLI_FLAG_VALUE_MISSING)
      hint: \`cuckoo --help\` shows what it takes.
      exit 2"
    `)
    expect(await fail(['register', 'miner'])).toMatchInlineSnapshot(`
      "error: \`cuckoo register miner\` needs --name <name>. (CUCKOO_CLI_OPTION_MISSING)
      hint: \`cuckoo register miner --help\` shows examples.
      exit 2"
    `)
  })
  it('amounts', async () => {
    expect(await fail(['stake', '20K'])).toMatchInlineSnapshot(`
      "error: '20K' is not an amount of CAI. (CUCKOO_AMOUNT_INVALID)
      hint: Did you mean 20000?
      exit 2"
    `)
    expect(await fail(['stake', '25,000'])).toMatchInlineSnapshot(`
      "error: '25,000' is not an amount of CAI. (CUCKOO_AMOUNT_INVALID)
      hint: Did you mean 25000?
      exit 2"
    `)
    expect(await fail(['stake', '--', '-1'])).toMatchInlineSnapshot(`
      "error: '-1' is not an amount of CAI. (CUCKOO_AMOUNT_INVALID)
      hint: Write it like 25000, 0.5 or 12wei.
      exit 2"
    `)
    expect(await fail(['stake', '0.0000000000000000001'])).toMatchInlineSnapshot(`
      "error: '0.0000000000000000001' has 19 decimals; CAI has 18. (CUCKOO_AMOUNT_TOO_PRECISE)
      hint: Shorten it to at most 18 decimals, or give whole wei like 12wei.
      exit 2"
    `)
  })
  it('addresses', async () => {
    expect(await fail(['vote', '0x1234', '5'])).toMatchInlineSnapshot(`
      "error: '0x1234' is not an address: it has 4 digits after 0x, not 40. (CUCKOO_ADDRESS_INVALID)
      hint: Copy it again; \`cuckoo account list\` and \`cuckoo nodes\` show addresses.
      exit 2"
    `)
    expect(await fail(['vote', '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAee', '5'])).toMatchInlineSnapshot(`
      "error: '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAee' is not an address: its checksum is wrong, so a digit is too. (CUCKOO_ADDRESS_INVALID)
      hint: Copy it again; \`cuckoo account list\` and \`cuckoo nodes\` show addresses.
      exit 2"
    `)
    expect(await fail(['vote', 'nobody', '5'])).toMatchInlineSnapshot(`
      "error: There is no account 'nobody'. (CUCKOO_ACCOUNT_UNKNOWN)
      hint: Accounts here: alice.
      exit 78"
    `)
  })
  it('numbers, durations and choices', async () => {
    expect(await fail(['coordinator', 'serve', '--port', '70000'])).toMatchInlineSnapshot(`
      "error: '70000' (--port) must be from 0 to 65535. (CUCKOO_CLI_VALUE_INVALID)
      hint: \`cuckoo coordinator serve --help\` shows what it takes.
      exit 2"
    `)
    expect(await fail(['devnet', 'warp', 'soon'])).toMatchInlineSnapshot(`
      "error: 'soon' (<duration>) is not a duration like 90s, 15m, 12h or 7d. (CUCKOO_CLI_VALUE_INVALID)
      hint: \`cuckoo devnet warp --help\` shows what it takes.
      exit 2"
    `)
    expect(await fail(['nodes', '--role', 'juror'])).toMatchInlineSnapshot(`
      "error: 'juror' (--role) is not one of miner, coordinator. (CUCKOO_CLI_VALUE_INVALID)
      hint: \`cuckoo nodes --help\` shows what it takes.
      exit 2"
    `)
  })
  it('a URL with a password in it', async () => {
    const seen = await fail(['status', '--rpc-url', 'https://me:hunter2@rpc.example'])
    expect(seen).not.toContain('hunter2')
    expect(seen).toMatchInlineSnapshot(`
      "error: --rpc-url holds a user name or password: everyone on this machine can read arguments. (CUCKOO_CONFIG_SECRET_IN_ARGUMENTS)
      hint: Put it into CUCKOO_RPC_URL or config.json ('rpcUrl').
      exit 2"
    `)
  })
})

describe('what is configured wrong', () => {
  it('an environment variable is named, with its value', async () => {
    expect(await fail(['status'], { CUCKOO_TIMEOUT: 'soon' })).toMatchInlineSnapshot(`
      "error: 'soon' (CUCKOO_TIMEOUT) is not a duration like 90s, 15m, 12h or 7d. (CUCKOO_CONFIG_INVALID)
      hint: Change it there, or give the flag, which wins over it.
      exit 78"
    `)
    expect(await fail(['status'], { CUCKOO_YES: 'perhaps' })).toMatchInlineSnapshot(`
      "error: 'perhaps' (CUCKOO_YES) is neither true nor false. (CUCKOO_CONFIG_INVALID)
      hint: Change it there, or give the flag, which wins over it.
      exit 78"
    `)
    expect(await fail(['coordinator', 'serve'], { CUCKOO_PORT: 'http' })).toMatchInlineSnapshot(`
      "error: 'http' (CUCKOO_PORT) is not a whole number. (CUCKOO_CONFIG_INVALID)
      hint: Change it there, or give the flag, which wins over it.
      exit 78"
    `)
  })
  it("a secret's value is not shown", async () => {
    const seen = await fail(['status'], { CUCKOO_RPC_URL: 'ftp://me:hunter2@rpc.example' })
    expect(seen).not.toContain('hunter2')
    expect(seen).toContain('CUCKOO_RPC_URL')
  })
  it('config.json is named', async () => {
    const own = mkdtempSync(join(tmpdir(), 'cuckoo-unit-config-'))
    const seen = async (text: string) => {
      writeFileSync(join(own, 'config.json'), text)
      return (await fail(['status'], { CUCKOO_HOME: own })).replaceAll(own, '$HOME')
    }
    expect(await seen('{"timeout": "soon"}')).toMatchInlineSnapshot(`
      "error: 'soon' ('timeout' in $HOME/config.json) is not a duration like 90s, 15m, 12h or 7d. (CUCKOO_CONFIG_INVALID)
      hint: Change it there, or give the flag, which wins over it.
      exit 78"
    `)
    expect(await seen('{"tiemout": "5m"}')).toMatchInlineSnapshot(`
      "error: The config file $HOME/config.json has an unknown key 'tiemout'. (CUCKOO_CONFIG_KEY_UNKNOWN)
      hint: Keys it may have: network, rpcUrl, deployment, account, privateKeyFile, passwordFile, yes, timeout, logLevel, coordinator, apiKeyFile, beaconUrl, modelsCache, modelsBudget, offline, hubUrl, hubTokenFile, modelsDir.
      exit 78"
    `)
    expect(await seen('{')).toMatchInlineSnapshot(`
      "error: The config file $HOME/config.json cannot be used: it is not JSON. (CUCKOO_CONFIG_FILE_INVALID)
      hint: Correct it (one JSON object of keys and values), or move it away.
      exit 78"
    `)
    rmSync(own, { recursive: true })
  })
  it('no network, no devnet', async () => {
    const { code, stderr } = await runMain(['nodes'], { env: { CUCKOO_HOME: home } })
    expect(`${stderr}exit ${code}`).toMatchInlineSnapshot(`
      "error: No network is chosen and no devnet runs here. (CUCKOO_CONFIG_NETWORK_MISSING)
      hint: Start one with \`cuckoo devnet start\`, or name one: --network <name> or --deployment <file|url>.
      exit 78"
    `)
  })
  it.each([['status'], ['status', 'bob'], ['claim']])('a deployment file that is not there, before an account that is not: %s', async (...argv) => {
    const { code, stderr } = await runMain([...argv, '--deployment', 'nofile.json'], { env: { CUCKOO_HOME: home } })
    expect(`${stderr}exit ${code}`).toBe(
      'error: There is no deployment file nofile.json. (CUCKOO_CHAIN_DEPLOYMENT_FILE_MISSING)\nhint: Check the path given with --deployment.\nexit 78',
    )
  })
})

describe('a terminal that is not there', () => {
  it('names what to give instead of an answer', async () => {
    expect(await fail(['vote', '0x2222222222222222222222222222222222222222', '5'])).toMatchInlineSnapshot(`
      "If this node loses a part of its bond to a slash, your votes lose a tenth of that part, 2 % at most. Leaving takes 7 d, in which a slash still counts.
      error: There is no terminal to ask on: Vote 5 CAI for Ada? (CUCKOO_CLI_TERMINAL_REQUIRED)
      hint: Give --yes (or CUCKOO_YES=true) to answer it beforehand.
      exit 2"
    `)
  })
  it('names what to give instead of a password', async () => {
    const { code, stderr } = await runMain(['account', 'new', 'bob'], { env: { CUCKOO_HOME: home } })
    expect(`${stderr}exit ${code}`).toMatchInlineSnapshot(`
      "error: The account 'bob' needs its password, and there is no terminal to ask on. (CUCKOO_ACCOUNT_PASSWORD_MISSING)
      hint: Set CUCKOO_PASSWORD, or give --password-file <file> or --password-fd <number>.
      exit 2"
    `)
  })
})

describe('errors with --json', () => {
  it('are one object on stderr: code, kind, message, hint, facts; nothing on stdout', async () => {
    const { code, stdout, stderr } = await runMain(['stake', '20K', '--json'], { compose: createFakePorts(createFakeChain()) })
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr.trimEnd().split('\n')).toHaveLength(1)
    expect(JSON.parse(stderr)).toEqual({
      error: {
        code: 'CUCKOO_AMOUNT_INVALID',
        kind: 'usage',
        message: "'20K' is not an amount of CAI.",
        hint: 'Did you mean 20000?',
        facts: { value: '20K', suggestion: '20000' },
      },
    })
  })
  it('carry bigint facts as decimal strings', async () => {
    const { stderr } = await runMain(['stake', '99999999999999999999', '--json'], { compose: createFakePorts(createFakeChain()) })
    expect((JSON.parse(stderr) as { error: { facts: unknown } }).error.facts).toEqual({
      value: '99999999999999999999',
      maximumWei: '79228162514264337593543950335',
    })
  })
  it('hide what an unforeseen error quotes of a URL', async () => {
    const compose = createFakePorts(createFakeChain(), { getChain: () => Promise.reject(new Error('connect https://me:hunter2@rpc.example failed')) })
    const { code, stderr } = await runMain(['nodes'], { compose })
    expect(code).toBe(70)
    expect(stderr).not.toContain('hunter2')
    expect(stderr).toContain('https://<hidden>@rpc.example')
  })
})
