# shellcheck shell=sh disable=SC2154
# runit: runsvdir over dist/runit.
. /guest/common.sh
export SVDIR=/tmp/service
mkdir "$SVDIR"
cp -a /dist/runit/gorgon "$SVDIR"
runsvdir "$SVDIR" >/tmp/runsvdir 2>&1 &
runsvdir=$!
soon sh -c "sv status gorgon >/dev/null"
ok "start waits until it serves" sv -w 10 start gorgon
ok "it serves" curl -sSf http://127.0.0.1/a.txt
says "its log runs" "run: log:" sv status gorgon
before=$(cat "$SVDIR/gorgon/supervise/pid")
printf '[http:two]\nlisten = :8082\nroot = /srv/www\n' >>"$conf"
ok "hup" sv hup gorgon
ok "hup applies what has changed" soon get 127.0.0.1:8082/a.txt
ok "by the same process" [ "$before" = "$(cat "$SVDIR/gorgon/supervise/pid")" ]
ok "1" sv 1 gorgon
slow_begins 127.0.0.1
ok "restart" sv -w 15 restart gorgon
ok "restart finishes what is under way" slow_is_whole
ok "it serves again" get 127.0.0.1/a.txt
ok "by another process" [ "$before" != "$(cat "$SVDIR/gorgon/supervise/pid")" ]
kill -9 "$(cat "$SVDIR/gorgon/supervise/pid")"
ok "one that was killed is started again" get 127.0.0.1/a.txt
slow_begins 127.0.0.1
ok "stop" sv -w 15 stop gorgon
ok "stop finishes what is under way" slow_is_whole
ok "it is stopped" gone 127.0.0.1/a.txt
ok "start after stop" sv -w 10 start gorgon
slow_begins 127.0.0.1
ok "interrupt" sv interrupt gorgon
no "interrupt does not wait for what is under way" slow_is_whole
ok "start after interrupt" sv -w 10 start gorgon
wrong
no "a wrong configuration is not started" sv -w 5 restart gorgon
says "and waits before it is tried again" "finish: gorgon" sv status gorgon
says "the log says why" "expected KEY = VALUE" cat /var/log/gorgon/current
sv -w 15 force-stop gorgon >/dev/null
kill -HUP "$runsvdir"
wait "$runsvdir"
echo end
