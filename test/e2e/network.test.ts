import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import OpenAI, { APIError } from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { failCuckoo, type RunningCuckoo, runCuckoo, runCuckooJson, startCuckoo } from '../support/cuckoo.ts'

const home = mkdtempSync(join(tmpdir(), 'cuckoo-e2e-'))
const model = 'cuckoo/storyteller'
const story = 'Tell me a story about a brave fox and a red kite.'

interface State {
  pid: number
  rpcUrl: string
  coordinator: { node: string; url: string }
  miners: { account: string; node: string; pid: number }[]
  apiKeyFile: string
}
let devnet: RunningCuckoo
let state: State
let client: OpenAI

beforeAll(async () => {
  devnet = startCuckoo(['devnet', 'start', '--rpc-port', '0', '--port', '0'], { home })
  await devnet.waitFor((event) => event['event'] === 'ready', 120_000)
  state = JSON.parse(readFileSync(join(home, 'devnet', 'state.json'), 'utf8')) as State
  client = new OpenAI({ baseURL: `${state.coordinator.url}/v1`, apiKey: readFileSync(state.apiKeyFile, 'utf8').trim(), maxRetries: 0 })
}, 150_000)

afterAll(async () => {
  await devnet?.stop()
  rmSync(home, { recursive: true, force: true })
}, 60_000)

/** Text of the plain transformers.js pipeline on the same files, greedy. */
function runPipelineDirectly(folder: string, name: string, prompt: string | { role: string; content: string }[], maxTokens: number): string {
  const script = `
    import { env, pipeline } from '@huggingface/transformers'
    env.localModelPath = process.env.FOLDER; env.allowRemoteModels = false
    const generate = await pipeline('text-generation', process.env.NAME, { dtype: 'fp32' })
    const prompt = JSON.parse(process.env.PROMPT)
    const [{ generated_text: text }] = await generate(prompt, { max_new_tokens: Number(process.env.MAX_TOKENS), do_sample: false, return_full_text: false })
    console.log(JSON.stringify(typeof text === 'string' ? text : text.at(-1).content))`
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    env: { ...process.env, FOLDER: folder, NAME: name, PROMPT: JSON.stringify(prompt), MAX_TOKENS: String(maxTokens) },
    encoding: 'utf8',
  })
  return JSON.parse(output.trim().split('\n').at(-1) ?? '') as string
}
const bundled = fileURLToPath(new URL('../../src/inference/bundled/', import.meta.url))

describe('an app', () => {
  it('gets a chat answer, a streamed one and an error it understands from the official OpenAI client', async () => {
    const answer = await client.chat.completions.create({ model, messages: [{ role: 'user', content: story }], temperature: 0, max_tokens: 60 })
    const text = answer.choices[0]?.message.content ?? ''
    expect(text.length).toBeGreaterThan(40)
    expect(answer.usage?.completion_tokens).toBeGreaterThan(10)

    const stream = await client.chat.completions.create({ model, messages: [{ role: 'user', content: story }], temperature: 0, max_tokens: 60, stream: true })
    const pieces: string[] = []
    for await (const chunk of stream) pieces.push(chunk.choices[0]?.delta.content ?? '')
    // The miner sends what it has every few milliseconds: a whole answer at the end would be one piece.
    expect(pieces.filter((piece) => piece !== '').length).toBeGreaterThan(1)
    expect(pieces.join('')).toBe(text)

    const failure = await client.chat.completions
      .create({ model: 'nobody/nothing', messages: [{ role: 'user', content: 'hi' }] })
      .catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(APIError)
    expect((failure as APIError).status).toBe(404)
    expect((failure as APIError).code).toBe('CUCKOO_MODEL_UNKNOWN')
    const unsupported = await client.chat.completions
      .create({ model, messages: [{ role: 'user', content: 'hi' }], logprobs: true })
      .catch((error: unknown) => error)
    expect((unsupported as APIError).code).toBe('CUCKOO_API_PARAMETER_UNSUPPORTED')
    expect((unsupported as APIError).message).toContain('logprobs')
  })

  it('gets the text of the same pipeline called directly, token for token', async () => {
    const messages = [{ role: 'user' as const, content: story }]
    const answer = await client.chat.completions.create({ model, messages, temperature: 0, max_tokens: 80 })
    expect(answer.choices[0]?.message.content).toBe(runPipelineDirectly(bundled, model, messages, 80))
    const completion = await client.completions.create({ model, prompt: 'Once upon a time', temperature: 0, max_tokens: 60 })
    expect(completion.choices[0]?.text).toBe(runPipelineDirectly(bundled, model, 'Once upon a time', 60))
  })

  it('gets the same text for the same seed and another for another', async () => {
    const ask = async (seed: number) =>
      (await client.chat.completions.create({ model, messages: [{ role: 'user', content: story }], seed, temperature: 1, max_tokens: 40 })).choices[0]?.message
        .content
    const [first, again, other] = [await ask(1), await ask(1), await ask(2)]
    expect(again).toBe(first)
    expect(other).not.toBe(first)
  })

  it('runs a prompt from the command line and verifies the receipt', async () => {
    const answer = await runCuckooJson<{ text: string; task: string; miner: string }>(['run', story, '--model', model, '--temperature', '0'], { home })
    expect(answer.text.length).toBeGreaterThan(40)
    expect(state.miners.map((miner) => miner.node)).toContain(answer.miner)
    const verified = await runCuckooJson<{ verified: boolean }>(['receipt', 'verify', answer.task], { home })
    expect(verified.verified).toBe(true)

    const receipt = await runCuckooJson<{ receipt: { result: { units: string } } }>(['receipt', 'show', answer.task], { home })
    receipt.receipt.result.units = String(BigInt(receipt.receipt.result.units) + 1n)
    const file = join(home, 'forged.json')
    writeFileSync(file, JSON.stringify(receipt))
    expect((await runCuckoo(['receipt', 'verify', file, '--json'], { home })).code).toBe(65)
  })

  it('still gets its answer when the miner is killed in the middle of the task', async () => {
    const getTask = async (id: string | null) =>
      (await (await fetch(`${state.coordinator.url}/v1/tasks/${id}`, { headers: { authorization: `Bearer ${client.apiKey}` } })).json()) as {
        miner: string
        attempt: number
        text: string
        state: string
      }
    /** Kills the miner of a task that has begun; null when its result was in before. */
    const killMiner = async (id: string | null): Promise<string | null> => {
      for (const { pid } of state.miners) process.kill(pid, 'SIGSTOP')
      // What the miner had sent by then is counted by then.
      await new Promise((resolve) => setTimeout(resolve, 200))
      const task = await getTask(id)
      const killed = task.state === 'done' ? null : task.miner
      for (const { node, pid } of state.miners) process.kill(pid, node === killed ? 'SIGKILL' : 'SIGCONT')
      return killed
    }
    const expected = runPipelineDirectly(bundled, model, 'Once upon a time', 100)
    // A story of 100 tokens takes 50 ms: one may be over before anybody can be killed over it.
    for (let killed: string | null = null, tries = 1; killed === null; tries++) {
      const stream = await client.completions.create({ model, prompt: 'Once upon a time', temperature: 0, max_tokens: 100, stream: true }).withResponse()
      const taskId = stream.response.headers.get('x-cuckoo-task')
      const pieces: string[] = []
      for await (const chunk of stream.data) {
        if (pieces.length === 0) killed = await killMiner(taskId)
        pieces.push(chunk.choices[0]?.text ?? '')
      }
      const text = pieces.join('')
      expect(text).toBe(expected)
      if (killed === null && tries < 20) continue
      const task = await getTask(taskId)
      expect(task).toMatchObject({ state: 'done', attempt: 2, text })
      expect(task.miner).not.toBe(killed)
    }
  })
})

describe('wrong input', () => {
  const cases: [string, string[], NodeJS.ProcessEnv, string, number][] = [
    ['a malformed amount', ['stake', '20K', '--account', 'dev-staker-1'], {}, 'CUCKOO_AMOUNT_INVALID', 2],
    ['more than the account has', ['stake', '99000000', '--account', 'dev-staker-1', '--yes'], {}, 'CUCKOO_CHAIN_WALLET_TOO_LOW', 10],
    ['a malformed address', ['vote', '0x1234', '5', '--account', 'dev-staker-1'], {}, 'CUCKOO_ADDRESS_INVALID', 2],
    [
      'an unregistered node',
      ['vote', '0x00000000000000000000000000000000000000aa', '5', '--account', 'dev-staker-1', '--yes'],
      {},
      'CUCKOO_STAKING_NOT_REGISTERED',
      10,
    ],
    ['an unknown account', ['stake', '5', '--account', 'nobody'], {}, 'CUCKOO_ACCOUNT_UNKNOWN', 78],
    ['an RPC that is down', ['nodes', '--rpc-url', 'http://127.0.0.1:9'], {}, 'CUCKOO_CHAIN_RPC_UNAVAILABLE', 75],
    ['an unknown network', ['nodes', '--network', 'mars'], {}, 'CUCKOO_CHAIN_DEPLOYMENT_MISSING', 78],
    ['a key that is no key', ['stake', '5'], { CUCKOO_PRIVATE_KEY: '0x1234' }, 'CUCKOO_ACCOUNT_KEY_INVALID', 2],
    ['an unknown model', ['run', 'hello', '--model', 'nobody/nothing'], {}, 'CUCKOO_MODEL_UNKNOWN', 2],
    [
      'an unregistered operator',
      ['miner', 'start', '--account', 'dev-staker-1', '--model', model, '--allow-private'],
      {},
      'CUCKOO_OPERATOR_NOT_REGISTERED',
      10,
    ],
    ['a wrong role', ['coordinator', 'serve', '--account', 'dev-miner-1-op', '--port', '0'], {}, 'CUCKOO_OPERATOR_NOT_REGISTERED', 10],
    ['a second coordinator on the same store', ['coordinator', 'serve', '--account', 'dev-coordinator-op', '--port', '0'], {}, 'CUCKOO_STORE_LOCKED', 10],
    ['a second devnet', ['devnet', 'start'], {}, 'CUCKOO_DEVNET_RUNNING', 10],
  ]
  it.each(cases)('%s is refused with its own code and the next step', async (_name, args, env, code, exitCode) => {
    const failure = await failCuckoo(args, { home, env })
    expect(failure.error.code).toBe(code)
    expect(failure.code).toBe(exitCode)
    expect(failure.error.hint).toBeTruthy()
  })
})

describe('a coordinator of one’s own, as the README says', () => {
  it('registers, refuses a port in use, serves, drains, and is refused when its bond is too low', async () => {
    const password = join(home, 'carol-password')
    writeFileSync(password, 'correct horse\n', { mode: 0o600 })
    const secret = ['--password-file', password]
    for (const name of ['carol', 'carol-op']) await runCuckooJson(['account', 'new', name, ...secret], { home })
    await runCuckooJson(['faucet', 'carol', '2000100'], { home })
    await runCuckooJson(['stake', '2000001', '--account', 'carol', ...secret, '--yes'], { home })
    const register = [
      'register',
      'coordinator',
      '--account',
      'carol',
      '--operator-account',
      'carol-op',
      '--name',
      'Carol',
      '--url',
      'http://127.0.0.1:8421',
      ...secret,
      '--yes',
    ]
    expect((await failCuckoo([...register, '--bond', '2000000'], { home })).error.code).toBe('CUCKOO_STAKING_BOND_TOO_LOW')
    await runCuckooJson(register, { home })

    const serve = ['coordinator', 'serve', '--account', 'carol-op', ...secret]
    // It commits to its draw secrets on chain, and that costs gas.
    expect((await failCuckoo([...serve, '--port', '0'], { home })).error.code).toBe('CUCKOO_CHAIN_WALLET_TOO_LOW')
    await runCuckooJson(['faucet', 'carol-op', '10'], { home })
    await runCuckooJson(['escrow', 'deposit', '50', '--account', 'carol', ...secret, '--yes'], { home })
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const { port } = taken.address() as { port: number }
    const refused = await failCuckoo([...serve, '--port', String(port)], { home })
    taken.close()
    expect(refused.error.code).toBe('CUCKOO_SERVER_PORT_IN_USE')
    expect(refused.error.message).toContain(String(port))

    const { key } = await runCuckooJson<{ key: string }>(['apps', 'create', 'mine', '--coordinator', 'carol'], { home })
    const running = startCuckoo([...serve, '--port', '0'], { home })
    const { url } = await running.waitFor((event) => event['event'] === 'ready')
    const models = await fetch(`${url as string}/v1/models`, { headers: { authorization: `Bearer ${key}` } })
    expect(models.status).toBe(200)
    expect((await fetch(`${url as string}/v1/models`, { headers: { authorization: 'Bearer wrong' } })).status).toBe(401)
    expect(await running.stop('SIGTERM')).toBe(0)

    await runCuckooJson(['unbond', '1', '--account', 'carol', ...secret, '--yes'], { home })
    const tooLow = await failCuckoo([...serve, '--port', '0'], { home })
    expect(tooLow).toMatchObject({ code: 10, error: { code: 'CUCKOO_COORDINATOR_INELIGIBLE' } })
  })
})

describe('a miner of one’s own, as the README says', () => {
  it('registers, starts with a model folder, and answers', async (context) => {
    const folder = process.env['CUCKOO_TEST_MODELS_DIR']
    if (!folder || !existsSync(join(folder, 'karpathy/stories260K'))) return context.skip('skipped: CUCKOO_TEST_MODELS_DIR has no karpathy/stories260K')
    const password = join(home, 'password')
    writeFileSync(password, 'correct horse\n', { mode: 0o600 })
    const secret = ['--password-file', password]
    for (const name of ['alice', 'alice-op']) await runCuckooJson(['account', 'new', name, ...secret], { home })
    await runCuckooJson(['faucet', 'alice', '30000'], { home })
    await runCuckooJson(['stake', '25000', '--account', 'alice', ...secret, '--yes'], { home })
    await runCuckooJson(['register', 'miner', '--account', 'alice', '--operator-account', 'alice-op', '--name', 'Alice', ...secret, '--yes'], { home })
    const miner = startCuckoo(['miner', 'start', '--account', 'alice-op', ...secret, '--models-dir', folder, '--model', 'karpathy/stories260K'], { home })
    try {
      await miner.waitFor((event) => event['event'] === 'session-opened', 60_000)
      const answer = await runCuckooJson<{ text: string }>(
        ['run', '--model', 'karpathy/stories260K', '--temperature', '0', '--max-tokens', '60', 'Once upon a time'],
        { home },
      )
      expect(answer.text).toBe(runPipelineDirectly(`${folder}/`, 'karpathy/stories260K', 'Once upon a time', 60))

      const second = await failCuckoo(['miner', 'start', '--account', 'alice-op', ...secret, '--models-dir', folder, '--model', 'karpathy/stories260K'], {
        home,
      })
      expect(second.error.code).toBe('CUCKOO_STORE_LOCKED')
    } finally {
      expect(await miner.stop('SIGTERM')).toBe(0)
    }
  })
})

describe('money', () => {
  it('thaws, warps and withdraws to the wei', async () => {
    const account = ['--account', 'dev-staker-2', '--yes']
    await runCuckooJson(['stake', '3.000000000000000001', ...account], { home })
    const before = await runCuckooJson<{ freeWei: string; votes: { node: string }[] }>(['status', '--account', 'dev-staker-2'], { home })
    expect(before.freeWei).toBe('3000000000000000001')
    await runCuckooJson(['unvote', before.votes[0]?.node as string, 'all', ...account], { home })
    const thawing = await runCuckooJson<{ thaws: { releaseAt: number; amountWei: string }[]; votes: unknown[] }>(['status', '--account', 'dev-staker-2'], {
      home,
    })
    expect(thawing.votes).toEqual([])
    expect(thawing.thaws).toHaveLength(1)
    expect(thawing.thaws[0]?.amountWei).toBe('2000000000000000000000')
    await runCuckooJson(['devnet', 'warp', '21m'], { home })
    await runCuckooJson(['withdraw', 'all', ...account], { home })
    const after = await runCuckooJson<{ freeWei: string; thaws: unknown[] }>(['status', '--account', 'dev-staker-2'], { home })
    expect(after).toMatchObject({ freeWei: '0', thaws: [] })
  })

  it('a dry run says what would be sent and its cost, and sends nothing', async () => {
    const before = await runCuckooJson<{ freeWei: string }>(['status', '--account', 'dev-staker-1'], { home })
    const report = await runCuckooJson<{ dryRun: boolean; hash: null; gas: string }>(['stake', '7', '--account', 'dev-staker-1', '--dry-run'], { home })
    expect(report).toMatchObject({ dryRun: true, hash: null })
    expect(BigInt(report.gas)).toBeGreaterThan(21_000n)
    expect(await runCuckooJson(['status', '--account', 'dev-staker-1'], { home })).toMatchObject({ freeWei: before.freeWei })
  })
})
