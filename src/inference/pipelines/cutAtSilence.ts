/** The last part of a piece in which it may end, and the length over which loudness is measured. */
const searchSeconds = 5
const frameSeconds = 0.1

/** Parts of `audio` of at most `maxSeconds`, each cut in the quietest tenth of a second of the piece's last five seconds. */
export function cutAtSilence(audio: Float32Array, sampleRate: number, maxSeconds: number): Float32Array[] {
  const pieces: Float32Array[] = []
  const longest = maxSeconds * sampleRate
  let rest = audio
  while (rest.length > longest) {
    const end = findQuietest(rest, Math.max(1, longest - searchSeconds * sampleRate), longest, Math.ceil(frameSeconds * sampleRate))
    pieces.push(rest.subarray(0, end))
    rest = rest.subarray(end)
  }
  return [...pieces, rest]
}

/** The middle of the quietest frame between two positions. */
function findQuietest(audio: Float32Array, from: number, to: number, frame: number): number {
  let [least, best] = [Infinity, to]
  for (let start = from; start + frame <= to; start += frame) {
    const energy = audio.subarray(start, start + frame).reduce((sum, sample) => sum + sample * sample, 0)
    if (energy < least) [least, best] = [energy, start + Math.floor(frame / 2)]
  }
  return best
}
