import type { Handlers, RequestContext } from '../api/handler.ts'
import type { RouteOutput } from '../api/route.ts'
import type { Routes } from '../api/routes/routes.ts'
import type { Hash } from '../domain/hex.ts'
import type { Media } from '../domain/media.ts'
import { listInputMedia, listOutputMedia, type PipelineShapes } from '../domain/task.ts'
import { mediaAbsent, modelUnknown } from '../errors/api.ts'
import { taskContentMissing } from '../errors/coordinator.ts'
import { type Answer, toTaskHeaders } from './answers.ts'
import type { Coordinator } from './coordinator.ts'
import { formatSubtitles } from './formatSubtitles.ts'
import { fromImageBody, fromSpeechBody, fromTranscriptionFields } from './mediaRequest.ts'
import { toAsker } from './taskRequest.ts'
import { waitForAnswer } from './waitForAnswer.ts'

type MediaHandlers = Pick<Handlers, 'uploadMedia' | 'getMedia' | 'createImage' | 'createTranscription' | 'createSpeech'>
type Transcript = PipelineShapes['transcription']['output']
type TranscriptionBody = RouteOutput<Routes['createTranscription']>

/** Media up and down, and OpenAI's routes for images and audio. */
export function createMediaHandlers(coordinator: Coordinator): MediaHandlers {
  const { shelf, admission, contents } = coordinator
  return {
    uploadMedia: async ({ body }, { app }) => ({ body: await shelf.keep(body, app.id) }),
    async getMedia({ params }) {
      const found = await shelf.find(params.hash)
      if (found === null) throw mediaAbsent(params)
      return { body: found.data, headers: toMediaHeaders(found.media) }
    },
    async createImage({ body }, context) {
      const request = fromImageBody(body, body.model ?? getFirstImageModel(coordinator))
      const { record, answer } = await waitForAnswer(coordinator, await admission.admit(request, toAsker(context)), context.signal)
      const media = listOutputMedia(answer.output)
      const data =
        body.response_format === 'b64_json'
          ? await Promise.all(media.map(async ({ sha256 }) => ({ b64_json: Buffer.from(await contents.getBlob(record, sha256)).toString('base64') })))
          : media.map(({ sha256 }) => ({ url: toMediaUrl(coordinator, context, sha256) }))
      const { params } = answer.content
      const size = 'width' in params ? `${params.width}x${params.height}` : ''
      return { body: { created: Math.floor(record.createdAtMs / 1000), data, size, output_format: 'png' }, headers: toTaskHeaders(record) }
    },
    async createTranscription({ body }, context) {
      const { sha256 } = await shelf.keep(body.file, context.app.id)
      const admitted = await admission.admit(fromTranscriptionFields(body.fields, sha256), toAsker(context))
      const { record, answer } = await waitForAnswer(coordinator, admitted, context.signal)
      return { body: toTranscription(answer, body.fields.response_format), headers: toTaskHeaders(record) }
    },
    async createSpeech({ body }, context) {
      const { record, answer } = await waitForAnswer(coordinator, await admission.admit(fromSpeechBody(body), toAsker(context)), context.signal)
      const [audio] = listOutputMedia(answer.output)
      if (audio === undefined) throw taskContentMissing({ taskId: record.id, hash: 'of its audio' })
      return { body: await contents.getBlob(record, audio.sha256), headers: { ...toTaskHeaders(record), 'content-type': audio.type } }
    },
  }
}

/** A medium never changes under its hash; and a browser is not to guess what it is. */
function toMediaHeaders({ type, sha256 }: Media): Record<string, string> {
  return {
    'content-type': type,
    'cache-control': 'public, max-age=31536000, immutable',
    etag: `"${sha256}"`,
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; sandbox",
  }
}

function getFirstImageModel({ catalogue, miners }: Coordinator): string {
  const offered = catalogue.list().filter((model) => miners.countOffering(model.digest) > 0)
  const first = offered.find(({ manifest }) => manifest.kind === 'image')
  if (first === undefined) throw modelUnknown({ model: null, known: offered.map(({ manifest }) => manifest.model).join(', ') })
  return first.manifest.model
}

// Whoever names a false host in its request is shown it again, and nobody else is.
function toMediaUrl({ ports }: Coordinator, { headers }: RequestContext, hash: Hash): string {
  const base = ports.config.publicUrl ?? `http://${headers.host ?? ports.config.host}`
  return `${base.replace(/\/+$/, '')}/v1/media/${hash}`
}

function toTranscription({ content, output }: Answer, format: string): TranscriptionBody {
  const { text, segments, words } = output as Transcript
  if (format === 'json') return { text }
  if (format === 'text') return `${text}\n`
  if (format === 'srt' || format === 'vtt') return formatSubtitles(segments, format)
  const [audio] = listInputMedia(content)
  const { params } = content
  return {
    task: 'transcribe',
    language: 'language' in params && params.language !== null ? params.language : 'unknown',
    duration: audio !== undefined && 'durationMs' in audio ? audio.durationMs / 1000 : 0,
    text,
    ...('timestamps' in params && params.timestamps === 'segment'
      ? { segments: segments.map(({ startMs, endMs, text }, id) => ({ id, start: startMs / 1000, end: endMs / 1000, text })) }
      : { words: words.map(({ startMs, endMs, text }) => ({ word: text, start: startMs / 1000, end: endMs / 1000 })) }),
  }
}
