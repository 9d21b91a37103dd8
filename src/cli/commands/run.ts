import { z } from 'zod'
import type { Client } from '../../api/client.ts'
import type { TaskKind } from '../../domain/taskKinds.ts'
import { modelUnknown } from '../../errors/api.ts'
import { runInputMissing } from '../../errors/run.ts'
import { createAppClient } from '../appClient.ts'
import type { Context } from '../context.ts'
import { defineCommand } from '../defineCommand.ts'
import { assertWritable, replaceFile } from '../files.ts'
import { foldCommand } from '../fold.ts'
import { formatCaiShort, formatShort } from '../format.ts'
import type { Output } from '../output.ts'
import { assertOptionsFit, type RunOptions, runOptions } from '../runOptions.ts'
import { runTask, type TaskAnswer, zTaskAnswer } from '../runTask.ts'
import { streamText, type TextAnswer, zTextAnswer } from '../runText.ts'
import { formatTaskOutput } from '../taskOutput.ts'

export const run = defineCommand({
  description: `Sends a prompt and prints the answer as it comes: an app in one line. A model with a chat
template is asked, others go on with the text; --image draws; --kind names any other task,
with a --file where it works on an image or a sound. Coordinator and API key come from the
options, from CUCKOO_COORDINATOR and CUCKOO_API_KEY, or from the running devnet.`,
  examples: [
    { command: 'cuckoo run "Tell me a story about a brave fox."', note: 'on the devnet' },
    { command: 'cuckoo run --model karpathy/stories260K "Once upon a time"', note: 'another model' },
    { command: 'cuckoo run --image out.png "a red circle left of a blue square"', note: 'an image' },
    { command: 'cuckoo run --kind transcription --file talk.wav', note: 'speech to text' },
    { command: "cuckoo run -- '-5 degrees are'", note: "a prompt that starts with '-'" },
  ],
  args: z.object({ prompt: z.string().min(1, 'is empty').optional().describe("the text; put -- before one that starts with '-'") }),
  options: runOptions,
  output: z.union([zTaskAnswer, zTextAnswer]),
  async run({ args, options }, context) {
    const kind = options.kind ?? (options.image === undefined ? null : 'image')
    const isText = kind === null || kind === 'chat' || kind === 'completion'
    assertOptionsFit(kind ?? 'chat', options)
    if (isText && args.prompt === undefined) throw runInputMissing({ kind: kind ?? 'chat', missing: 'a text', example: 'cuckoo run "Once upon a time"' })
    if (options.save !== undefined) await assertWritable(options.save)
    const answer = isText ? await answerText(kind, args.prompt as string, options, context) : await runTask({ kind, prompt: args.prompt, options }, context)
    if (options.save !== undefined) await replaceFile(options.save, `${JSON.stringify(z.encode(run.output, answer), null, 2)}\n`)
    return answer
  },
  view(answer, screen) {
    if ('finishReason' in answer) screen.write('\n')
    else viewTask(answer, screen)
    if (!screen.interactive) return
    const end = 'finishReason' in answer && answer.finishReason === 'length' ? ', cut at --max-tokens' : ''
    screen.note(screen.style('dim', `${answer.model}, miner ${formatShort(answer.miner)}${end}. Its receipt, signed by both sides:`))
    screen.note(screen.style('dim', foldCommand(`${screen.program} receipt verify ${answer.task}`, screen.columns, '  ')))
  },
})

async function answerText(kind: TaskKind | null, prompt: string, options: RunOptions, context: Context<never>): Promise<TextAnswer> {
  const { client } = await createAppClient(context, options)
  const spinner = await context.output.spin('waiting for a miner')
  try {
    const { model, chat } = await chooseModel(client, options.model, context.signal)
    return await streamText(client, { ...options, model, chat: kind === null ? chat : kind === 'chat', prompt }, context, (text) => {
      spinner.stop()
      context.output.write(text)
    })
  } finally {
    spinner.stop()
  }
}

/** The model that was named, or the first text model offered, and whether it chats. An unknown one goes to the coordinator, which refuses it. */
async function chooseModel(client: Client, named: string | undefined, signal: AbortSignal): Promise<{ model: string; chat: boolean }> {
  const { data } = await client.listModels({}, { signal })
  const found = named === undefined ? data.find(({ cuckoo }) => cuckoo.kind === 'text') : data.find(({ id }) => id === named)
  if (named === undefined && found === undefined) throw modelUnknown({ model: null, known: '' })
  return { model: found?.id ?? (named as string), chat: found?.cuckoo.chat ?? false }
}

function viewTask(answer: TaskAnswer, screen: Output): void {
  for (const line of formatTaskOutput(answer)) screen.line(line)
  if (screen.interactive) screen.note(screen.style('dim', `${answer.seconds} s, ${formatCaiShort(answer.priceWei)}, --seed ${answer.seed}`))
}
