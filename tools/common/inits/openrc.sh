# shellcheck shell=sh disable=SC2154
# OpenRC: its runlevels are run through, with nothing else in them.
. /guest/common.sh
rm -rf /etc/runlevels
mkdir -p /etc/runlevels/sysinit /etc/runlevels/boot /etc/runlevels/default /etc/runlevels/shutdown
install -m 755 /dist/openrc/gorgon /etc/init.d/gorgon
ok "rc-update add" rc-update add gorgon default
for level in sysinit boot default; do
	openrc "$level" >/tmp/openrc 2>&1
done
says "it is started by its runlevel" "started" rc-service gorgon status
ok "it serves" get 127.0.0.1/a.txt
says "describe" "checkconfig: Says what is wrong" rc-service gorgon describe
ok "checkconfig" rc-service gorgon checkconfig
printf '[http:two]\nlisten = :8082\nroot = /srv/www\naccess_log = /tmp/access.log\n' >>"$conf"
ok "reload" rc-service gorgon reload
ok "reload applies what has changed" soon get 127.0.0.1:8082/a.txt
soon grep -q a.txt /tmp/access.log
mv /tmp/access.log /tmp/access.old
ok "reopen" rc-service gorgon reopen
ok "reopen makes a log anew" soon [ -e /tmp/access.log ]
wrong
no "reload refuses a wrong configuration" rc-service gorgon reload
no "restart refuses it" rc-service gorgon restart
says "and says why" "expected KEY = VALUE" rc-service gorgon checkconfig
ok "what runs goes on" get 127.0.0.1:8082/a.txt
right
slow_begins 127.0.0.1
ok "restart" rc-service gorgon restart
ok "restart finishes what is under way" slow_is_whole
ok "it serves again" get 127.0.0.1/a.txt
pkill -9 -x gorgon
ok "one that was killed is started again" get 127.0.0.1/a.txt
slow_begins 127.0.0.1
ok "stop" rc-service gorgon stop
ok "stop finishes what is under way" slow_is_whole
says "it is stopped" "stopped" rc-service gorgon status
says "what it said is in a log" "Serving /srv/www" cat /var/log/gorgon.log
wrong
no "a wrong configuration is not started" rc-service gorgon start
echo end
