import { z } from 'zod'
import type { Client } from '../api/client.ts'
import { responseInvalid } from '../errors/api.ts'
import type { Context } from './context.ts'

export const zTextAnswer = z.object({
  model: z.string(),
  text: z.string(),
  finishReason: z.string(),
  task: z.string(),
  miner: z.string(),
  receipt: z.string(),
})
export type TextAnswer = z.output<typeof zTextAnswer>

export interface TextRequest {
  model: string
  chat: boolean
  prompt: string
  maxTokens?: number | undefined
  temperature?: number | undefined
  seed?: bigint | undefined
  system?: string | undefined
}

/** Streams one answer piece by piece to `onText` and resolves with all of it. */
export async function streamText(client: Client, request: TextRequest, { signal }: Context<never>, onText: (text: string) => void): Promise<TextAnswer> {
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
