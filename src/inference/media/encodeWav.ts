import { createHash } from 'node:crypto'
import type { AudioMedia } from '../../domain/media.ts'

/** A mono WAV of 16-bit PCM. `samples`: float32[samples], finite, -1 to 1; what lies beyond is cut. */
export function encodeWav(samples: Float32Array, sampleRate: number): { media: AudioMedia; data: Uint8Array } {
  const dataBytes = samples.length * 2
  const wav = Buffer.alloc(44 + dataBytes)
  wav.write('RIFF', 0, 'latin1')
  wav.writeUInt32LE(36 + dataBytes, 4)
  wav.write('WAVEfmt ', 8, 'latin1')
  wav.writeUInt32LE(16, 16)
  // PCM, one channel
  wav.writeUInt16LE(1, 20)
  wav.writeUInt16LE(1, 22)
  wav.writeUInt32LE(sampleRate, 24)
  wav.writeUInt32LE(sampleRate * 2, 28)
  wav.writeUInt16LE(2, 32)
  wav.writeUInt16LE(16, 34)
  wav.write('data', 36, 'latin1')
  wav.writeUInt32LE(dataBytes, 40)
  for (const [index, sample] of samples.entries()) wav.writeInt16LE(Math.round(Math.max(-1, Math.min(1, sample)) * 32_767), 44 + index * 2)
  const data = new Uint8Array(wav)
  const durationMs = Math.ceil((samples.length / sampleRate) * 1_000)
  return { media: { sha256: `0x${createHash('sha256').update(data).digest('hex')}`, bytes: data.length, type: 'audio/wav', durationMs }, data }
}
