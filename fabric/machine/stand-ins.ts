// Commands that a machine has of its own in place of the host's: those that need set-uid, or a process 1 other than ours.
// Paths are under /usr. Each is a few lines of sh; what one cannot do it says.

const sudo = `#!/bin/sh
# Postern: in an instance ec2-user is uid 0 already, so sudo only changes the environment and runs the command.
login=
shell=
while [ $# -gt 0 ]; do
  case "$1" in
    -i|--login) login=1; shift ;;
    -s|--shell) shell=1; shift ;;
    -u|--user|-g|--group|-p|--prompt|-C|-h|--host) case "$1" in -u|--user) user=$2 ;; esac; shift 2 ;;
    -n|-E|-H|-S|-k|-K|-b|-P|-A|--preserve-env*|--non-interactive|--set-home|--stdin) shift ;;
    -v|--validate) exit 0 ;;
    -l|--list) echo 'User ec2-user may run the following commands: (ALL) NOPASSWD: ALL'; exit 0 ;;
    -V|--version) echo 'Sudo (Postern stand-in)'; exit 0 ;;
    --) shift; break ;;
    -*) echo "sudo: option $1 is not supported in a Postern instance" >&2; exit 1 ;;
    [A-Za-z_]*=*) export "$1"; shift ;;
    *) break ;;
  esac
done
user=\${user:-root}
export SUDO_USER=\${USER:-ec2-user} SUDO_UID=0 SUDO_GID=0
case "$user" in
  root) export USER=root LOGNAME=root HOME=/root ;;
  ec2-user) export USER=ec2-user LOGNAME=ec2-user HOME=/home/ec2-user ;;
  *) exec setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups -- "$@" ;;
esac
if [ -n "$login" ]; then cd; if [ $# -gt 0 ]; then exec /bin/bash -l -c '"$@"' bash "$@"; else exec /bin/bash -l; fi; fi
if [ -n "$shell" ] || [ $# -eq 0 ]; then
  if [ $# -eq 0 ] && [ -z "$shell" ]; then echo 'usage: sudo [-i | -s | -u user] command' >&2; exit 1; fi
  [ $# -gt 0 ] && exec /bin/bash -c '"$@"' bash "$@"
  exec /bin/bash
fi
exec "$@"
`;

// The signals of busybox's init: guest/init.pl answers them.
const end = (signal: string) => `#!/bin/sh
kill -s ${signal} 1
`;

const shutdown = `#!/bin/sh
signal=USR2
when=
for word in "$@"; do
  case "$word" in
    -r|--reboot) signal=TERM ;;
    -h|-P|-H|--halt|--poweroff) signal=USR2 ;;
    -c) echo 'shutdown: nothing is scheduled' >&2; exit 0 ;;
    -*) ;;
    *) [ -z "$when" ] && when=$word ;;
  esac
done
case "\${when:-+1}" in
  now|+0|0) kill -s "$signal" 1 ;;
  +[0-9]*|[0-9]) minutes=\${when#+}; minutes=\${minutes:-1}
    echo "Shutdown scheduled in $minutes minutes" >&2
    (trap '' HUP; sleep $((minutes * 60)); kill -s "$signal" 1) >/dev/null 2>&1 </dev/null & ;;
  *) echo "shutdown: a time of day is not supported in a Postern instance; use now or +MINUTES" >&2; exit 1 ;;
esac
`;

const systemctl = `#!/bin/sh
for word in "$@"; do
  case "$word" in
    reboot) exec /usr/sbin/reboot ;;
    poweroff|halt) exec /usr/sbin/poweroff ;;
  esac
done
echo 'systemctl: a Postern instance runs no systemd; start programs directly (reboot, poweroff and halt work)' >&2
exit 1
`;

/** Path under /usr → text. */
export const standIns: Readonly<Record<string, string>> = {
  'bin/sudo': sudo,
  'bin/systemctl': systemctl,
  'sbin/shutdown': shutdown,
  'sbin/poweroff': end('USR2'),
  'sbin/halt': end('USR2'),
  'sbin/reboot': end('TERM'),
};
