import { z } from 'zod'
import { imageSchedulers } from '../domain/task.ts'
import { type TaskKind, taskKinds, taskKindTraits } from '../domain/taskKinds.ts'
import { runOptionUnfit } from '../errors/run.ts'
import { clientOptions } from './appClient.ts'
import { zDecimal, zInteger, zUint64Text } from './schemas.ts'

const zSize = z
  .string()
  .regex(/^[1-9]\d{0,4}x[1-9]\d{0,4}$/, 'is not a size like 512x512')
  .transform((text) => {
    const [width, height] = text.split('x').map(Number) as [number, number]
    return { width, height }
  })

export const runOptions = z.object({
  ...clientOptions,
  model: z.string().optional().describe('owner/model; default: the first that is offered').meta({ short: '-m', placeholder: 'model' }),
  kind: z.enum(taskKinds).optional().describe('what to do').meta({ placeholder: 'kind' }),
  image: z.string().min(1).optional().describe('draw an image into this new PNG file').meta({ placeholder: 'file' }),
  maxTokens: zInteger(1, 1_048_576).optional().describe('longest answer').meta({ placeholder: 'number' }),
  temperature: zDecimal(0, 2).optional().describe('0 is greedy').meta({ placeholder: 'number' }),
  seed: zUint64Text.optional().describe('same seed, same answer').meta({ placeholder: 'number' }),
  system: z.string().optional().describe('system message, where the model chats').meta({ placeholder: 'text' }),
  size: zSize.optional().describe('of images, like 64x64').meta({ placeholder: 'WxH' }),
  steps: zInteger(1, 1_000).optional().describe('of denoising').meta({ placeholder: 'number' }),
  guidance: zDecimal(0, 30).optional().describe('how closely images follow the prompt; 0 to 1: without').meta({ placeholder: 'number' }),
  negative: z.string().optional().describe('what images should not show').meta({ placeholder: 'text' }),
  scheduler: z.enum(imageSchedulers).optional().describe('how noise becomes an image').meta({ placeholder: 'name' }),
  count: zInteger(1, 64).optional().describe('images: out-1.png, out-2.png …').meta({ placeholder: 'number' }),
  file: z.string().min(1).optional().describe('image or sound to work on').meta({ placeholder: 'file' }),
  label: z.array(z.string().min(1)).default([]).describe('a label to choose from').meta({ placeholder: 'text' }),
  param: z.array(z.string()).default([]).describe('a parameter of the kind: target=fr, timestamps=word …').meta({ placeholder: 'name=value' }),
  out: z.string().min(1).optional().describe('new file for the image or sound that comes back').meta({ placeholder: 'file' }),
  save: z.string().optional().describe('file for the answer as JSON').meta({ placeholder: 'file' }),
})
export type RunOptions = z.output<typeof runOptions>

const text: readonly TaskKind[] = ['chat', 'completion']
const withMaxTokens: readonly TaskKind[] = [...text, 'translation', 'summarization', 'captioning']
const image: readonly TaskKind[] = ['image']
const where = (fits: (kind: TaskKind) => boolean) => taskKinds.filter(fits)

/** Kinds that an option means something to; those that are not here mean something to all. */
const fitting = {
  image,
  size: image,
  steps: image,
  guidance: image,
  negative: image,
  scheduler: image,
  count: image,
  maxTokens: withMaxTokens,
  temperature: text,
  system: ['chat', 'completion'],
  seed: [...text, ...image],
  file: where((kind) => taskKindTraits[kind].takes.media !== null),
  label: where((kind) => taskKindTraits[kind].takes.labels),
  out: where((kind) => taskKindTraits[kind].gives !== null),
} as const satisfies Partial<Record<keyof RunOptions, readonly TaskKind[]>>

/** @throws CUCKOO_RUN_OPTION_UNFIT for an option that would do nothing: nobody should believe that it did */
export function assertOptionsFit(kind: TaskKind, options: RunOptions): void {
  for (const [name, kinds] of Object.entries(fitting) as [keyof typeof fitting, readonly TaskKind[]][]) {
    const value = options[name]
    const isGiven = Array.isArray(value) ? value.length > 0 : value !== undefined
    if (!isGiven || kinds.includes(kind)) continue
    throw runOptionUnfit({ option: `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`, kind, fits: kinds.join(', ') })
  }
}
