import { modelLacksFeature } from '../../errors/inference.ts'
import { encodeWav } from '../media/encodeWav.ts'
import { assertTextFits } from './assertTextFits.ts'
import { type PipelineRow, singleGraph, textFiles } from './pipelineRow.ts'

/** A text spoken by a VITS model, as a mono WAV of 16 bits. Such a model has one voice and one speed. */
export const speech: PipelineRow<'speech'> = {
  task: 'text-to-audio',
  pipeline: 'TextToAudioPipeline',
  variants: [{ architectures: /^VitsModel$/, graphs: singleGraph, model: 'AutoModelForTextToWaveform' }],
  files: textFiles,
  generates: false,
  reads: () => ({ waveform: 'values' }),
  run: async (call) => {
    const { manifest, params, text } = call
    if (params.voice !== null)
      throw modelLacksFeature({ model: manifest.model, feature: `the voice ${params.voice}`, available: 'its own voice, without a name' })
    if (params.speed !== 1) throw modelLacksFeature({ model: manifest.model, feature: `the speed ${params.speed}`, available: 'speed 1' })
    assertTextFits(call, text)
    const { audio, sampling_rate } = (await call.model.call(text)) as { audio: Float32Array; sampling_rate: number }
    const file = encodeWav(audio, sampling_rate)
    return { output: { audio: file.media }, files: [file] }
  },
}
