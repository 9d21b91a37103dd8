/** Samples of a WAV file: where they lie and how they are written. */
export interface WavHeader {
  /** PCM integers (8 bits unsigned, else signed) or IEEE floats, little-endian */
  encoding: 'integer' | 'float'
  bitsPerSample: 8 | 16 | 24 | 32 | 64
  channels: number
  sampleRate: number
  /** bytes from the start of the file */
  dataStart: number
  dataBytes: number
}

/** Where the header says nothing usable: why. */
export interface HeaderProblem {
  problem: string
}

/** Of all formats, in Hz: below 1 kHz nothing is speech, above 384 kHz nothing records. */
const sampleRates = { least: 1_000, most: 384_000 }
const maxChannels = 8
/** WAVE_FORMAT_EXTENSIBLE (Microsoft, mmreg.h): the true format is the first two bytes of the sub-format GUID. */
const extensible = 0xfffe

/** The header of a RIFF WAVE file, or what is wrong with it. Chunks other than `fmt ` and `data` are skipped. */
export function readWavHeader(data: Uint8Array): WavHeader | HeaderProblem {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  let format: Omit<WavHeader, 'dataStart' | 'dataBytes'> | undefined
  let position = 12
  while (position + 8 <= data.length) {
    const name = view.getUint32(position, false)
    const size = view.getUint32(position + 4, true)
    const start = position + 8
    if (name === 0x666d7420 /* 'fmt ' */) {
      const found = size >= 16 && start + size <= data.length ? readFormat(view, start, size) : { problem: 'its format chunk is cut' }
      if ('problem' in found) return found
      format = found
    }
    if (name === 0x64617461 /* 'data' */)
      return format === undefined ? { problem: 'its data come before their format' } : toHeader(format, start, size, data.length)
    // Chunks are padded to even lengths.
    position = start + size + (size % 2)
  }
  return { problem: 'it has no data chunk' }
}

function toHeader(format: Omit<WavHeader, 'dataStart' | 'dataBytes'>, dataStart: number, size: number, fileBytes: number): WavHeader | HeaderProblem {
  const left = fileBytes - dataStart
  // Programs that write to a pipe cannot come back to fill in the length, and leave 0 or the largest number.
  const open = size === 0 || size >= 0xffff_fffe
  if (!open && size > left) return { problem: `it is cut: ${size} bytes of samples are announced, ${left} are there` }
  const frameBytes = (format.channels * format.bitsPerSample) / 8
  const bytes = open ? left : size
  if (bytes < frameBytes) return { problem: 'it holds no samples' }
  return { ...format, dataStart, dataBytes: bytes - (bytes % frameBytes) }
}

function readFormat(view: DataView, start: number, size: number): Omit<WavHeader, 'dataStart' | 'dataBytes'> | HeaderProblem {
  const tag = view.getUint16(start, true)
  const code = tag === extensible && size >= 26 ? view.getUint16(start + 24, true) : tag
  const channels = view.getUint16(start + 2, true)
  const sampleRate = view.getUint32(start + 4, true)
  const bitsPerSample = view.getUint16(start + 14, true)
  const known = code === 1 ? [8, 16, 24, 32] : code === 3 ? [32, 64] : []
  if (!known.includes(bitsPerSample)) return { problem: `its samples (format ${code}, ${bitsPerSample} bits) are neither PCM of 8 to 32 bits nor floats` }
  if (channels < 1 || channels > maxChannels) return { problem: `it has ${channels} channels, 1 to ${maxChannels} are read` }
  const encoding = code === 1 ? 'integer' : 'float'
  return findRateProblem(sampleRate) ?? { encoding, bitsPerSample: bitsPerSample as WavHeader['bitsPerSample'], channels, sampleRate }
}

/** What is wrong with a sample rate in Hz; undefined for one that is read. */
export function findRateProblem(sampleRate: number): HeaderProblem | undefined {
  if (sampleRate >= sampleRates.least && sampleRate <= sampleRates.most) return undefined
  return { problem: `its sample rate is ${sampleRate} Hz, ${sampleRates.least} to ${sampleRates.most} are read` }
}
