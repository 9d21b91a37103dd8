import type { TaskOutput } from '../domain/task.ts'
import type { TaskAnswer } from './runTask.ts'

/** Lines that show what came back: the text, the labels with their scores, the files that were written. */
export function formatTaskOutput({ text, output, files }: Pick<TaskAnswer, 'text' | 'output' | 'files'>): string[] {
  const written = files.map(({ path, bytes }, index) => `${path}${formatSize(output, index)}, ${bytes.toLocaleString('en')} bytes`)
  if (written.length > 0) return written
  if (text !== null) return [text, ...formatTimes(output)]
  if ('labels' in output) return output.labels.map(({ label, score }) => `${formatScore(score)}  ${label}`)
  if ('entities' in output) return output.entities.map(({ label, score, text: found }) => `${formatScore(score)}  ${label}  ${found}`)
  if ('objects' in output) {
    return output.objects.map(({ label, score, box }) => {
      const [left, top, right, bottom] = [box.left, box.top, box.right, box.bottom].map(Math.round)
      return `${formatScore(score)}  ${label}  ${left},${top} to ${right},${bottom}`
    })
  }
  if ('embeddings' in output)
    return [
      `${output.dimensions} dimensions: ${toNumbers(output.embeddings[0] ?? '')
        .slice(0, 4)
        .join(', ')} … (--json has them all)`,
    ]
  return []
}

function formatSize(output: TaskOutput, index: number): string {
  const image = 'images' in output ? output.images[index] : 'image' in output ? output.image : undefined
  if (image !== undefined) return ` (${image.width} × ${image.height})`
  return 'audio' in output ? ` (${(output.audio.durationMs / 1000).toFixed(1)} s)` : ''
}

function formatTimes(output: TaskOutput): string[] {
  if (!('segments' in output)) return []
  const seconds = (ms: number) => (ms / 1000).toFixed(2).padStart(8)
  return [...output.segments, ...output.words].map(({ startMs, endMs, text }) => `${seconds(startMs)} ${seconds(endMs)}  ${text.trim()}`)
}

function formatScore(score: number): string {
  return score.toFixed(3)
}

function toNumbers(base64: string): string[] {
  const bytes = Buffer.from(base64, 'base64')
  return Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readFloatLE(index * 4).toFixed(4))
}
