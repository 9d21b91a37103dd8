import { z } from 'zod'
import type { Client } from '../../api/client.ts'
import { modelUnknown, responseInvalid } from '../../errors/api.ts'
import { clientOptions, createAppClient } from '../appClient.ts'
import type { Context } from '../context.ts'
import { defineCommand } from '../defineCommand.ts'
import { replaceFile } from '../files.ts'
import { foldCommand } from '../fold.ts'
import { formatShort } from '../format.ts'
import { zDecimal, zInteger, zUint64Text } from '../schemas.ts'

const options = z.object({
  ...clientOptions,
  model: z.string().optional().describe('owner/model; default: the first that is offered').meta({ short: '-m', placeholder: 'model' }),
  maxTokens: zInteger(1, 1_048_576).optional().describe('longest answer').meta({ placeholder: 'number' }),
  temperature: zDecimal(0, 2).optional().describe('0 is greedy').meta({ placeholder: 'number' }),
  seed: zUint64Text.optional().describe('same seed, same answer').meta({ placeholder: 'number' }),
  system: z.string().optional().describe('system message, where the model chats').meta({ placeholder: 'text' }),
  save: z.string().optional().describe('file for the answer as JSON').meta({ placeholder: 'file' }),
})

const zAnswer = z.object({
  model: z.string(),
  text: z.string(),
  finishReason: z.string(),
  task: z.string(),
  miner: z.string(),
  receipt: z.string(),
})
type Answer = z.output<typeof zAnswer>

export const run = defineCommand({
  description: `Sends a prompt and prints the answer as it comes: an app in one line. A model with a chat
template is asked, others go on with the text. Coordinator and API key come from the
options, from CUCKOO_COORDINATOR and CUCKOO_API_KEY, or from the running devnet.`,
  examples: [
    { command: 'cuckoo run "Tell me a story about a brave fox."', note: 'on the devnet' },
    { command: 'cuckoo run --model karpathy/stories260K "Once upon a time"', note: 'another model' },
    { command: "cuckoo run -- '-5 degrees are'", note: "a prompt that starts with '-'" },
  ],
  args: z.object({ prompt: z.string().min(1, 'is empty').describe("the text; put -- before one that starts with '-'") }),
  options,
  output: zAnswer,
  async run({ args, options: chosen }, context) {
    const { client, url } = await createAppClient(context, chosen)
    const spinner = await context.output.spin('waiting for a miner')
    let answer: Answer
    try {
      const { model, chat } = await chooseModel(client, chosen.model, context.signal)
      answer = await streamAnswer(client, { ...chosen, model, chat, prompt: args.prompt, url }, context, (text) => {
        spinner.stop()
        context.output.write(text)
      })
    } finally {
      spinner.stop()
    }
    if (chosen.save !== undefined) await replaceFile(chosen.save, `${JSON.stringify(answer, null, 2)}\n`)
    return answer
  },
  view(answer, screen) {
    screen.write('\n')
    if (!screen.interactive) return
    const end = answer.finishReason === 'length' ? ', cut at --max-tokens' : ''
    screen.note(screen.style('dim', `${answer.model}, miner ${formatShort(answer.miner)}${end}. Its receipt, signed by both sides:`))
    screen.note(screen.style('dim', foldCommand(`${screen.program} receipt verify ${answer.task}`, screen.columns, '  ')))
  },
})

/** The model that was named, or the first text model offered, and whether it chats. An unknown one goes to the coordinator, which refuses it. */
async function chooseModel(client: Client, named: string | undefined, signal: AbortSignal): Promise<{ model: string; chat: boolean }> {
  const { data } = await client.listModels({}, { signal })
  const found = named === undefined ? data.find(({ cuckoo }) => cuckoo.kind === 'text') : data.find(({ id }) => id === named)
  if (named === undefined && found === undefined) throw modelUnknown({ model: null, known: '' })
  return { model: found?.id ?? (named as string), chat: found?.cuckoo.chat ?? false }
}

interface Request {
  model: string
  chat: boolean
  prompt: string
  url: string
  maxTokens?: number | undefined
  temperature?: number | undefined
  seed?: bigint | undefined
  system?: string | undefined
}

/** Streams one answer piece by piece to `onText` and resolves with all of it. */
async function streamAnswer(client: Client, request: Request, { signal }: Context<never>, onText: (text: string) => void): Promise<Answer> {
  const { model, prompt, system } = request
  const body = {
    model,
    stream: true,
    ...(request.maxTokens === undefined ? {} : { max_tokens: request.maxTokens }),
    ...(request.temperature === undefined ? {} : { temperature: request.temperature }),
    ...(request.seed === undefined ? {} : { seed: request.seed.toString() }),
  }
  const messages = [...(system === undefined ? [] : [{ role: 'system' as const, content: system }]), { role: 'user' as const, content: prompt }]
  const route = request.chat ? 'createChatCompletion' : 'createCompletion'
  const opened = request.chat
    ? await client.open('createChatCompletion', { body: { ...body, messages } }, { signal })
    : await client.open('createCompletion', { body: { ...body, prompt: system === undefined ? prompt : `${system}\n\n${prompt}` } }, { signal })
  let text = ''
  let finishReason = ''
  let who: { task: string; miner: string; receipt: string } | undefined
  for await (const event of opened.events) {
    who = event.cuckoo ?? who
    const choice = event.choices[0]
    if (choice === undefined) continue
    const piece = 'delta' in choice ? (choice.delta.content ?? '') : choice.text
    finishReason = choice.finish_reason ?? finishReason
    text += piece
    if (piece !== '') onText(piece)
  }
  if (who === undefined) throw responseInvalid({ route, problem: 'the last event does not say who answered' })
  return { model, text, finishReason, ...who }
}
