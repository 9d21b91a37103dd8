import type { MultipartFile, MultipartValue } from '@fastify/multipart'
import type { FastifyRequest } from 'fastify'
import { bodyTooLarge, requestInvalid } from '../errors/api.ts'
import { CuckooError } from '../errors/cuckooError.ts'
import type { RawForm } from './requestInput.ts'
import type { FormBody } from './route.ts'

const maxFields = 32
const maxFieldBytes = 16_384

/**
 * The fields and the one file of a multipart/form-data request, in memory.
 * @throws CUCKOO_API_BODY_TOO_LARGE for a file over `maxBytes`; CUCKOO_API_REQUEST_INVALID for what is no form, a second file, or none
 */
export async function readForm(request: FastifyRequest, form: FormBody, maxBytes: number): Promise<RawForm> {
  const fields: RawForm['fields'] = {}
  let file: Uint8Array | undefined
  const limits = { files: 1, fileSize: maxBytes, fields: maxFields, parts: maxFields + 1, fieldSize: maxFieldBytes, fieldNameSize: 100 }
  try {
    for await (const part of request.parts({ limits })) {
      if (part.type === 'file') {
        if (part.fieldname !== form.file) throw refuse(part.fieldname, 'is not where the file belongs')
        file = await readFile(part, maxBytes)
      } else addField(fields, part)
    }
  } catch (cause) {
    throw fromFormError(cause)
  }
  if (file === undefined) throw refuse(form.file, 'is missing: it is the file')
  return { fields, file }
}

/** Refused at the limit: the plugin would read the rest first, however long it is. */
function readFile(part: MultipartFile, maximumBytes: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    part.file.once('limit', () => reject(bodyTooLarge({ maximumBytes })))
    part.toBuffer().then(resolve, reject)
  })
}

function addField(fields: RawForm['fields'], { fieldname: name, value, valueTruncated, fieldnameTruncated }: MultipartValue): void {
  if (valueTruncated || fieldnameTruncated) throw refuse(name, `is longer than ${maxFieldBytes} bytes`)
  // The plugin parses fields that call themselves JSON.
  if (typeof value !== 'string') throw refuse(name, 'is not plain text')
  if (name.endsWith('[]')) {
    const known = fields[name.slice(0, -2)]
    fields[name.slice(0, -2)] = [...(Array.isArray(known) ? known : []), value]
  } else if (Object.hasOwn(fields, name)) throw refuse(name, 'comes twice')
  else fields[name] = value
}

function refuse(name: string, problem: string) {
  const param = name.slice(0, 100)
  return requestInvalid({ where: `body ${param}`, problem, param })
}

/** Codes of @fastify/multipart 10; what has none of them is busboy's: bytes that are no form, or that ended early. */
function fromFormError(cause: unknown): unknown {
  if (cause instanceof CuckooError) return cause
  const { code } = cause as { code?: unknown }
  if (code === 'FST_FILES_LIMIT') return requestInvalid({ where: 'body', problem: 'has more than one file' }, { cause })
  if (code === 'FST_FIELDS_LIMIT' || code === 'FST_PARTS_LIMIT')
    return requestInvalid({ where: 'body', problem: `has more than ${maxFields} fields` }, { cause })
  return requestInvalid({ where: 'body', problem: 'is not multipart/form-data, or ended early' }, { cause })
}
