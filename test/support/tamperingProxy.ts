import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface TamperingProxy {
  readonly url: string
  close(): Promise<void>
}

/** Passes requests on to the server at `target`; `tamper` has the last word on the JSON that comes back from `path`. */
export async function startTamperingProxy(target: string, tamper: (path: string, text: string) => string): Promise<TamperingProxy> {
  const server = createServer(async (request, response) => {
    const chunks: Uint8Array[] = []
    for await (const chunk of request) chunks.push(chunk)
    const { host: _host, connection: _connection, 'content-length': _length, ...headers } = request.headers as Record<string, string>
    const path = request.url as string
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    try {
      const body = chunks.length === 0 ? undefined : Buffer.concat(chunks)
      const answer = await fetch(`${target}${path}`, {
        method: request.method as string,
        headers,
        signal: gone.signal,
        ...(body === undefined ? {} : { body }),
      })
      const text = await answer.text()
      response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? 'text/plain' })
      response.end(answer.ok ? tamper(path, text) : text)
    } catch {
      response.destroy()
    }
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
