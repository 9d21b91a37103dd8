import type { FastifyRequest } from 'fastify'
import { bodyTooLarge, requestInvalid } from '../errors/api.ts'
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
        file = await part.toBuffer()
      } else addField(fields, part.fieldname, part.value as string, part.valueTruncated || part.fieldnameTruncated)
    }
  } catch (cause) {
    throw fromFormError(cause, maxBytes)
  }
  if (file === undefined) throw refuse(form.file, 'is missing: it is the file')
  return { fields, file }
}

function addField(fields: RawForm['fields'], name: string, value: string, isTruncated: boolean): void {
  if (isTruncated) throw refuse(name, `is longer than ${maxFieldBytes} bytes`)
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
function fromFormError(cause: unknown, maximumBytes: number): unknown {
  const code = (cause as { code?: unknown }).code
  if (typeof code === 'string' && code.startsWith('CUCKOO_')) return cause
  if (code === 'FST_REQ_FILE_TOO_LARGE') return bodyTooLarge({ maximumBytes }, { cause })
  if (code === 'FST_FILES_LIMIT') return requestInvalid({ where: 'body', problem: 'has more than one file' }, { cause })
  if (code === 'FST_FIELDS_LIMIT' || code === 'FST_PARTS_LIMIT')
    return requestInvalid({ where: 'body', problem: `has more than ${maxFields} fields` }, { cause })
  return requestInvalid({ where: 'body', problem: 'is not multipart/form-data, or ended early' }, { cause })
}
