import { defineError } from './cuckooError.ts'

const types = { image: 'a PNG, JPEG or WebP', audio: 'a WAV, MP3 or FLAC' } as const

export const mediaUnknown = defineError(
  'CUCKOO_MEDIA_UNKNOWN',
  'rejected',
  (f: { wanted: keyof typeof types; problem: string }) => ({
    message: `The ${f.wanted} cannot be read: ${f.problem}.`,
    hint: `Send ${types[f.wanted]} that is complete.`,
  }),
  { httpStatus: 422 },
)
export const mediaTooLarge = defineError(
  'CUCKOO_MEDIA_TOO_LARGE',
  'rejected',
  (f: { what: 'pixels' | 'seconds'; size: number; limit: number }) => ({
    message:
      f.what === 'pixels' ? `The image has ${f.size} pixels, ${f.limit} are allowed.` : `The audio lasts longer than the ${f.limit} seconds that are allowed.`,
    hint: f.what === 'pixels' ? 'Send a smaller image.' : 'Send the audio in shorter parts.',
  }),
  { httpStatus: 422 },
)
export const imageTooNarrow = defineError(
  'CUCKOO_MEDIA_TOO_NARROW',
  'rejected',
  (f: { width: number; height: number; limit: number }) => ({
    message: `The image is ${f.width} by ${f.height} pixels: one side is more than ${f.limit} times the other.`,
    hint: 'Cut the image into parts of a usual shape.',
  }),
  { httpStatus: 422 },
)
