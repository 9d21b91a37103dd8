import { type LookupAddress, type LookupOptions, lookup as lookupHost } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { outboundRefused, outboundUrlInvalid } from '../errors/outbound.ts'

/** IPv4 that is not the public internet: RFC 6890 and the IANA special-purpose registry. */
const specialIpv4 = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const

/** Parts of 2000::/3 that are not the public internet, or carry an IPv4 address inside (Teredo, 6to4). */
const specialIpv6 = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const

const blocked = new BlockList()
for (const [network, bits] of specialIpv4) blocked.addSubnet(network, bits, 'ipv4')
for (const [network, bits] of specialIpv6) blocked.addSubnet(network, bits, 'ipv6')
const globalUnicast = new BlockList()
globalUnicast.addSubnet('2000::', 3, 'ipv6')

/** True for an IP address of the public internet. Of IPv6 only global unicast counts, so IPv4-mapped, NAT64, loopback, local and multicast ones do not. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address)
  if (family === 4) return !blocked.check(address, 'ipv4')
  // A zone (fe80::1%eth0) names a local link.
  return family === 6 && !address.includes('%') && globalUnicast.check(address, 'ipv6') && !blocked.check(address, 'ipv6')
}

/**
 * The parsed URL of a place to call that comes from the chain, a challenge or an app: https and, when it names an IP address, a public one. Host names are
 * looked at when they are resolved: see {@link createGuardedLookup}. `allowPrivate` also lets http and private addresses pass.
 * @throws CUCKOO_OUTBOUND_URL_INVALID not a URL of http(s), or with a user name or password in it
 * @throws CUCKOO_OUTBOUND_REFUSED plain http, or a private address
 * @example parseOutboundUrl('https://coordinator.example.org/').host // 'coordinator.example.org'
 */
export function parseOutboundUrl(text: string, { allowPrivate = false }: { allowPrivate?: boolean } = {}): URL {
  if (!URL.canParse(text)) throw outboundUrlInvalid({ url: text.replace(/\/\/[^/]*@/, '//').slice(0, 200), problem: 'it cannot be read' })
  const url = new URL(text)
  const shown = `${url.protocol}//${url.host}${url.pathname}`.slice(0, 200)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw outboundUrlInvalid({ url: shown, problem: 'only https is spoken here' })
  if (url.username !== '' || url.password !== '') throw outboundUrlInvalid({ url: shown, problem: 'it carries a user name or password' })
  if (allowPrivate) return url
  if (url.protocol === 'http:') throw outboundRefused({ host: url.host, reason: 'plain http is refused' })
  const literal = url.hostname.replace(/^\[|\]$/g, '')
  if (isIP(literal) !== 0 && !isPublicAddress(literal)) throw outboundRefused({ host: url.host, reason: 'its address is private' })
  return url
}

type Resolve = (
  host: string,
  options: LookupOptions & { all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void

/**
 * A `lookup` for sockets that refuses a host as soon as one of its addresses is private. The socket connects to the very addresses that were looked at,
 * so a name that resolves to something else a moment later (rebinding) gains nothing.
 */
export function createGuardedLookup(resolve: Resolve = lookupHost): LookupFunction {
  return (host, options, callback) => {
    resolve(host, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, [])
      if (addresses.length === 0 || !addresses.every(({ address }) => isPublicAddress(address))) {
        return callback(outboundRefused({ host, reason: 'it resolves to a private address' }) as NodeJS.ErrnoException, [])
      }
      if (options.all) return callback(null, addresses)
      const [first] = addresses as [LookupAddress]
      callback(null, first.address, first.family)
    })
  }
}
