#!/bin/bash
# A libvirtd of its own for one test: private_libvirtd.sh DIR
#
# Becomes that libvirtd (same process id), with the socket DIR/libvirt-sock, prints "ready" when it answers, and ends
# with the process that started it. Only libvirt's test driver is there: test+unix:///default?socket=DIR/libvirt-sock.
# Needs root, for a mount namespace: a root libvirtd's folders are compiled in. Nothing outside of DIR is written.
set -euo pipefail

if [ "${1:-}" != --inside ]; then
  dir=$(readlink -m -- "${1:?DIR}")
  socket=$dir/libvirt-sock
  [ ${#socket} -lt 108 ] || { echo "socket path too long: $socket" >&2; exit 2; }
  mkdir -p -- "$dir"/{etc,run,lib,log,cache}
  rm -f -- "$socket" "$socket-ro" "$dir/libvirt-admin-sock"
  # unshare and setpriv become what they start, so the process id stays.
  exec unshare --mount --propagation private -- "$BASH" "$(readlink -f -- "$0")" --inside "$dir" "$PPID"
fi

dir=$2 parent=$3
for pair in run:/run etc:/etc/libvirt lib:/var/lib/libvirt log:/var/log/libvirt cache:/var/cache/libvirt; do
  place=${pair#*:}
  if [ ! -d "$place" ]; then
    # A libvirtd that never ran on this machine has not made it yet, and it is not ours to make: this namespace gets an
    # empty parent to make it in. Nothing else here looks there.
    case $place in
    /var/*/libvirt) mount -t tmpfs -o mode=0755 tmpfs "${place%/*}" && mkdir "$place" ;;
    *) echo "$place is missing: libvirtd would make it outside of $dir" >&2; exit 3 ;;
    esac
  fi
  mount --bind "$dir/${pair%%:*}" "$place"
done
cat >"$dir/libvirtd.conf" <<CONF
unix_sock_dir = "$dir"
auth_unix_ro = "none"
auth_unix_rw = "none"
log_outputs = "2:file:$dir/log/libvirtd.log"
CONF

uri="test+unix:///default?socket=$dir/libvirt-sock"
libvirtd=$$

# The test driver forgets everything when its last connection is closed: one is held as long as the daemon lives.
hold() {
  { echo "echo held"; tail --pid="$libvirtd" -f /dev/null; } | stdbuf -oL virsh -q -c "$uri" >"$dir/holder" 2>&1
}
(
  exec </dev/null
  for _ in $(seq 200); do
    if [ -S "$dir/libvirt-sock" ] && virsh -q -c "$uri" version >/dev/null 2>&1; then break; fi
    sleep 0.05
  done
  : >"$dir/holder"
  hold >/dev/null &
  for _ in $(seq 200); do
    if grep -q held "$dir/holder"; then echo ready; exit; fi
    sleep 0.02
  done
) &

# No other drivers: they would look for QEMU, bridges and storage of the machine.
export LIBVIRT_DRIVER_DIR=$dir/no-drivers
[ "$(awk '/^PPid/ {print $2}' /proc/$$/status)" = "$parent" ] || exit 1
# setsid of a group's leader would fork: then the process id changes, and the parent whose end is watched is the wrong one.
own_session=(setsid)
[ "$(awk '{print $5}' /proc/$$/stat)" != $$ ] || own_session=()
exec "${own_session[@]}" setpriv --pdeathsig TERM -- /usr/sbin/libvirtd --config "$dir/libvirtd.conf" \
  --pid-file "$dir/libvirtd.pid" </dev/null 2>>"$dir/log/stderr"
