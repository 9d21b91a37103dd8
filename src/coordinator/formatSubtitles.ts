import type { TimedText } from '../domain/task.ts'

/**
 * `segments` as a SubRip file, or as WebVTT (w3.org/TR/webvtt1).
 * @example formatSubtitles([{ startMs: 0, endMs: 1500, text: ' One.' }], 'srt') // '1\n00:00:00,000 --> 00:00:01,500\nOne.\n\n'
 */
export function formatSubtitles(segments: readonly TimedText[], format: 'srt' | 'vtt'): string {
  const mark = format === 'srt' ? ',' : '.'
  const cues = segments.map(({ startMs, endMs, text }, index) => {
    const times = `${formatTime(startMs, mark)} --> ${formatTime(endMs, mark)}`
    // A blank line, or an arrow, would end the cue.
    const line = text
      .trim()
      .replace(/\s*\n\s*/g, ' ')
      .replaceAll('-->', '→')
    return `${format === 'srt' ? `${index + 1}\n` : ''}${times}\n${line}\n\n`
  })
  return `${format === 'vtt' ? 'WEBVTT\n\n' : ''}${cues.join('')}`
}

function formatTime(ms: number, mark: string): string {
  const pad = (value: number, digits: number) => String(Math.floor(value)).padStart(digits, '0')
  return `${pad(ms / 3_600_000, 2)}:${pad((ms / 60_000) % 60, 2)}:${pad((ms / 1000) % 60, 2)}${mark}${pad(ms % 1000, 3)}`
}
