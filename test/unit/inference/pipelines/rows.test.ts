import { describe, expect, it } from 'vitest'
import { assertOutput } from '../../../../src/coordinator/assertOutput.ts'
import type { Manifest } from '../../../../src/domain/manifest.ts'
import { finishReasons, type PipelineContent, type TaskOutput } from '../../../../src/domain/task.ts'
import { objectDetection } from '../../../../src/inference/pipelines/objectDetection.ts'
import type { PipelineCall } from '../../../../src/inference/pipelines/pipelineRow.ts'
import { transcription } from '../../../../src/inference/pipelines/transcription.ts'

const sha256 = `0x${'0'.repeat(64)}` as const
const manifest = { model: 'test/model' } as Manifest

/** What the coordinator says of a row's output. */
function check(content: PipelineContent, output: TaskOutput): void {
  assertOutput({ content, output, manifest, finishReason: finishReasons.none, refuse: (problem) => new Error(problem) })
}

describe('boxes of objects', () => {
  const media = { sha256, bytes: 1, type: 'image/png', width: 100, height: 80 } as const
  const params = { threshold: 0.5 }
  const detect = async (box: object) => {
    const call = { params, image: { width: 100, height: 80 }, model: { call: async () => [{ label: 'cat', score: 0.9, box }] } }
    const { output } = await objectDetection.run(call as unknown as PipelineCall<'object-detection'>)
    check({ kind: 'object-detection', input: { media }, params }, output)
    return output.objects[0]?.box
  }

  it('lie in the image, and one that a model turns inside out is empty: the others count all the same', async () => {
    expect(await detect({ xmin: -3, ymin: 1, xmax: 50, ymax: 90 })).toEqual({ left: 0, top: 1, right: 50, bottom: 80 })
    expect(await detect({ xmin: 60, ymin: 40, xmax: 50, ymax: 30 })).toEqual({ left: 60, top: 40, right: 60, bottom: 40 })
  })
})

describe('words of speech', () => {
  const media = { sha256, bytes: 1, type: 'audio/wav', durationMs: 40_000 } as const
  const params = { language: null, task: 'transcribe', timestamps: 'word' } as const

  it('that two windows heard at slightly different times stay in order', async () => {
    // as transformers.js joins windows: the first word ends the one before the overlap, the second starts up to 0.1 s earlier
    const chunks = [
      { text: ' a', timestamp: [26.04, 26.14] },
      { text: ' b', timestamp: [25.96, 26] },
      { text: ' c', timestamp: [26.5, null] },
    ]
    const model = {
      config: { model_type: 'whisper' },
      generation: { no_timestamps_token_id: 1, alignment_heads: [[0, 0]] },
      preprocessor: { sampling_rate: 16_000 },
      outputs: ['cross_attentions.0'],
      call: async () => ({ text: ' a b c', chunks }),
    }
    const call = { manifest, params, model, audio: new Float32Array(40 * 16_000) }
    const { output } = await transcription.run(call as unknown as PipelineCall<'transcription'>)
    check({ kind: 'transcription', input: { media }, params }, output)
    expect(output.words).toEqual([
      { startMs: 26_040, endMs: 26_140, text: 'a' },
      { startMs: 26_040, endMs: 26_040, text: 'b' },
      { startMs: 26_500, endMs: 40_000, text: 'c' },
    ])
  })
})
