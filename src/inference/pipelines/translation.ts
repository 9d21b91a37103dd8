import { modelLacksFeature } from '../../errors/inference.ts'
import { assertTextFits } from './assertTextFits.ts'
import { encoderDecoder, type LoadedPipeline, type PipelineCall, type PipelineRow, readsLogits, textFiles } from './pipelineRow.ts'
import { toGreedy } from './toGreedy.ts'
import { toTaskPrefix } from './toTaskPrefix.ts'

/**
 * A text in another language. Models of many languages (M2M100, NLLB, mBART) want `source` and `target` in their own codes;
 * T5-like ones know pairs by their `task_specific_params`; models of one pair (Marian) want neither.
 */
export const translation: PipelineRow<'translation'> = {
  task: 'translation',
  pipeline: 'TranslationPipeline',
  variants: [
    {
      architectures: /^(MarianMTModel|M2M100ForConditionalGeneration|(MBart|Bart|T5|MT5|LongT5)ForConditionalGeneration)$/,
      graphs: encoderDecoder,
      model: 'AutoModelForSeq2SeqLM',
    },
  ],
  files: textFiles,
  generates: true,
  reads: readsLogits,
  run: async (call) => {
    const { prefix, languages } = toDirection(call)
    assertTextFits(call, toTaskPrefix(call.model.config, 'translation') + prefix + call.text)
    const found = await call.model.call(prefix + call.text, { ...languages, ...toGreedy(call, call.params.maxTokens) })
    return { output: { text: (found as { translation_text: string }[])[0]?.translation_text.trim() ?? '' } }
  },
}

/** What says the direction to this model: a prefix of the text, or options of the call. */
function toDirection({ manifest, model, params }: PipelineCall<'translation'>): { prefix: string; languages: Record<string, string> } {
  const { source, target } = params
  const refuse = (feature: string, available: string) => modelLacksFeature({ model: manifest.model, feature, available })
  if (model.languages.length > 0) {
    for (const language of [source, target])
      if (language === null || !model.languages.includes(language))
        throw refuse(language === null ? 'a translation without source and target' : `the language ${language}`, model.languages.slice(0, 300).join(', '))
    return { prefix: '', languages: { src_lang: source as string, tgt_lang: target as string } }
  }
  const pairs = listPairs(model)
  if (pairs.size > 0) {
    const prefix = pairs.get(`${source} to ${target}`) ?? (source === null && target === null && pairs.size === 1 ? [...pairs.values()][0] : undefined)
    if (prefix === undefined) throw refuse(`the direction ${source ?? '?'} to ${target ?? '?'}`, [...pairs.keys()].join(', '))
    return { prefix, languages: {} }
  }
  if (source !== null || target !== null) throw refuse(`the direction ${source ?? '?'} to ${target ?? '?'}`, 'its one direction, without source and target')
  return { prefix: '', languages: {} }
}

/** Directions, as `en to de`, and the prefix of each, from T5's `task_specific_params`. */
function listPairs({ config }: LoadedPipeline): Map<string, string> {
  const tasks = Object.entries((config.task_specific_params ?? {}) as Record<string, { prefix?: string }>)
  return new Map(
    tasks.flatMap(([task, { prefix }]) => {
      const [, source, target] = /^translation_(\w+)_to_(\w+)$/.exec(task) ?? []
      return source === undefined || prefix === undefined ? [] : [[`${source} to ${target}`, prefix]]
    }),
  )
}
