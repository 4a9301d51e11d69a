# shellcheck shell=bash disable=SC2154,SC2016 # builddir, srcdir and work are the caller's; ` is the page's
# SPDX-License-Identifier: Apache-2.0
# The machines of docs/operations.md, "Without Kubernetes", made of what that page says; in namespaces
# of their own (mount, net, pid). What is made besides is in $work.
page=$srcdir/docs/operations.md
etc=/etc/cas-backup

# block TEXT: prints the first block of code after the line of the page that has TEXT.
block() {
    awk -v text="$1" '
        index($0, text) { found = 1 }
        found && /^```/ { if (inside) exit; inside = 1; next }
        inside { print }' "$page"
}

# page_files: the files of the page, with a key that opens the machines.
page_files() {
    block '`/etc/cas-backup/hosts` has' >"$etc/hosts"
    block '`/etc/cas-backup/ssh_config` has' >"$etc/ssh_config"
    block '`/etc/cas-backup/settings.yaml` says' >"$etc/settings.yaml"
    ssh-keygen -q -t ed25519 -N '' -f "$etc/ssh-key"
}

# start_machines: one SSH server for all, which knows by the address which one is meant.
start_machines() {
    local name address keyscan
    install -d -m 700 ~root/.ssh
    cp "$etc/ssh-key.pub" ~root/.ssh/authorized_keys
    ip link set lo up
    while read -r name address; do
        ip address add "$address/32" dev lo
        echo "$address $name"
    done <"$etc/hosts" >>/etc/hosts
    cat >"$work/machine" <<END
#!/bin/sh
address=\$(echo "\$SSH_CONNECTION" | cut -d ' ' -f 3)
case \$SSH_ORIGINAL_COMMAND in
'docker run -d --rm --name '*-backup*' -p 8081:8081 '*)
    setsid "$builddir/tests/sandbox/cas" --backup --listen "\$address:8081" >/dev/null 2>&1 </dev/null &
    echo \$! >"$work/\$address.pid" ;;
'docker rm -f '*) kill "\$(cat "$work/\$address.pid")" && rm "$work/\$address.pid" ;;
'cat /proc/sys/kernel/random/boot_id') printf '%s-0000-4000-8000-%012d\n' 00000000 "\${address##*.}" ;;
*) echo "unexpected: \$SSH_ORIGINAL_COMMAND" >&2; exit 1 ;;
esac
END
    chmod 755 "$work/machine"
    dropbearkey -t ed25519 -f "$work/hostkey" >/dev/null 2>&1
    dropbear -F -E -s -r "$work/hostkey" -p 22 -c "$work/machine" 2>"$work/dropbear.log" &
    keyscan=$(sed -n 's/^`\(ssh-keyscan [^`]*\)`.*/\1/p' "$page")
    for _ in {1..600}; do # until the server listens
        eval "$keyscan" 2>/dev/null || true
        [ "$(wc -l <"$etc/known_hosts")" -lt "$(wc -l <"$etc/hosts")" ] || break
        sleep 0.1
    done
}

# start_page_primary: the primary, and the CLI's configuration for it.
start_page_primary() {
    exec {out}< <(exec "$builddir/tests/sandbox/cas" --primary "$work/owner" --listen 127.0.0.1:0 \
        --registered "$work/registered" 2>"$work/primary.log")
    read -r _ <&"$out"
    install -m 600 "$work/owner/config.json" "$etc/config.json"
}
