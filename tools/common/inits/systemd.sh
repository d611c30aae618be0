# shellcheck shell=sh disable=SC2154
# systemd as the first process, and the units of the package.
. /guest/common.sh
now() { # now PROPERTY UNIT
	systemctl show -P "$1" "$2"
}
is() { # is PROPERTY VALUE UNIT
	[ "$(now "$1" "$3")" = "$2" ]
}
cat >"$conf" <<END
[http:main]
listen =
  :80
  unix:/run/gorgon/main.http
root = /srv/www
access_log = /var/log/gorgon/access.log
END
ok "start" systemctl start gorgon
says "its state is told" "Serving /srv/www" systemctl status gorgon
ok "it serves then" curl -sSf http://127.0.0.1/a.txt
ok "and on its Unix socket" curl -sSf --unix-socket /run/gorgon/main.http http://localhost/a.txt
says "its monitor is found" "role=admin" gorgon monitor -c hello
ok "it has a log" soon grep -q 'GET /a.txt' /var/log/gorgon/access.log
ok "it is not root" sh -c "[ $(stat -c %u "/proc/$(now MainPID gorgon)") != 0 ]"
says "it has no capabilities" "CapEff:	0000000000000000" cat "/proc/$(now MainPID gorgon)/status"
before=$(now MainPID gorgon)
printf '[http:two]\nlisten = :8081\nroot = /srv/www\n' >>"$conf"
ok "reload" systemctl reload gorgon
ok "reload has applied what has changed" curl -sSf http://127.0.0.1:8081/a.txt
says "reload is told" ":8081" systemctl status gorgon
ok "by the same process" is MainPID "$before" gorgon
wrong
no "reload refuses a wrong configuration" systemctl reload gorgon
says "and says why" "expected KEY = VALUE" journalctl --no-pager -u gorgon
ok "what runs goes on" get 127.0.0.1:8081/a.txt
right
slow_begins 127.0.0.1
ok "restart" systemctl restart gorgon
ok "restart finishes what is under way" slow_is_whole
kill -9 "$(now MainPID gorgon)"
ok "one that was killed is started again" soon is NRestarts 1 gorgon
ok "and serves" get 127.0.0.1/a.txt
mkdir -p /run/systemd/system/gorgon.service.d
printf '[Service]\nWatchdogSec=1\n' >/run/systemd/system/gorgon.service.d/watchdog.conf
systemctl daemon-reload
systemctl restart gorgon
sleep 3
ok "the watchdog is fed" is NRestarts 0 gorgon
kill -STOP "$(now MainPID gorgon)"
ok "one that hangs is started again" soon is NRestarts 1 gorgon
ok "and serves too" get 127.0.0.1/a.txt
slow_begins 127.0.0.1
ok "stop" systemctl stop gorgon
ok "stop finishes what is under way" slow_is_whole
ok "it ended well" is Result success gorgon
wrong
no "a wrong configuration is not started" systemctl start gorgon
sleep 1
ok "nor tried again" is NRestarts 0 gorgon
right
systemctl reset-failed gorgon
cp /dist/systemd/gorgon.socket /run/systemd/system
for listen in :80 fd:web; do
	printf '[http:main]\nlisten = %s\nroot = /srv/www\n' "$listen" >"$conf"
	systemctl daemon-reload
	ok "the socket, with listen = $listen" systemctl start gorgon.socket
	ok "nothing runs yet" is ActiveState inactive gorgon
	ok "the first client starts it" curl -sSf http://127.0.0.1/a.txt
	ok "by IPv6 too" curl -sSf 'http://[::1]/a.txt'
	# Who comes while it is started anew waits for it.
	systemctl restart gorgon &
	ok "none is lost while it restarts" curl -sSf http://127.0.0.1/a.txt
	wait $!
	systemctl stop gorgon.socket gorgon
done
for port in 8083 8084; do
	name=on-$port
	kept=/var/lib/gorgon-$name
	printf '[http:main]\nlisten = :%s\nroot = %s\nupload = %s\n' "$port" "$kept" "$kept" >"/etc/gorgon/$name.conf"
	ok "an instance, $name" systemctl start "gorgon@$name"
	ok "$name takes files" curl -sSf -T /srv/www/a.txt "http://127.0.0.1:$port/b.txt"
	ok "$name keeps them" grep -q 'a file' "$kept/b.txt"
	says "$name has a monitor" "role=admin" gorgon monitor "$(echo "/run/gorgon-$name"/*.sock)" -c hello
done
systemctl stop 'gorgon@*'
says "systemd-analyze security" "OK" systemd-analyze security --no-pager gorgon.service
echo end
