import { join } from 'node:path'
import { escapeXml } from './escapeXml.ts'
import { restartSeconds, type ServiceSpec } from './serviceSpec.ts'

export const launchdLabel = 'network.cuckoo.miner'

/** Text of a launchd property list (launchd.plist(5)). launchd knows no exit codes: it restarts after every end but a good one. */
export function formatLaunchdPlist(spec: ServiceSpec): string {
  const log = join(spec.home, 'miner', 'service.log')
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>${launchdLabel}</string>
${spec.scope === 'system' ? `  <key>UserName</key>\n  <string>${escapeXml(spec.user)}</string>\n` : ''}  <key>ProgramArguments</key>
  <array>
${spec.command.map((word) => `    <string>${escapeXml(word)}</string>\n`).join('')}  </array>
  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <dict>
    <key>SuccessfulExit</key>
    <false/>
  </dict>
  <key>ThrottleInterval</key>
  <integer>${restartSeconds}</integer>
  <key>ExitTimeOut</key>
  <integer>${spec.stopSeconds}</integer>
  <key>Umask</key>
  <integer>${0o077}</integer>
  <key>HardResourceLimits</key>
  <dict>
    <key>Core</key>
    <integer>0</integer>
  </dict>
  <key>StandardOutPath</key>
  <string>${escapeXml(log)}</string>
  <key>StandardErrorPath</key>
  <string>${escapeXml(log)}</string>
</dict>
</plist>
`
}
