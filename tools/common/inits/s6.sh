# shellcheck shell=sh disable=SC2154
# s6: s6-svscan over dist/s6.
. /guest/common.sh
mkdir /tmp/scan
cp -a /dist/s6/gorgon /tmp/scan
gorgon=/tmp/scan/gorgon
s6-svscan /tmp/scan >/tmp/log 2>&1 &
scan=$!
soon sh -c "s6-svok $gorgon"
ok "s6-svwait -U returns" s6-svwait -U -t 10000 "$gorgon"
ok "it serves then" curl -sSf http://127.0.0.1/a.txt
says "it is ready" " ready " s6-svstat "$gorgon"
printf '[http:two]\nlisten = :8082\nroot = /srv/www\n' >>"$conf"
ok "s6-svc -h" s6-svc -h "$gorgon"
ok "applies what has changed" soon get 127.0.0.1:8082/a.txt
slow_begins 127.0.0.1
ok "s6-svc -r -wR" s6-svc -wR -T 15000 -r "$gorgon"
ok "finishes what is under way" slow_is_whole
ok "it serves again" curl -sSf http://127.0.0.1/a.txt
kill -9 "$(s6-svstat -o pid "$gorgon")"
ok "one that was killed is started again" get 127.0.0.1/a.txt
slow_begins 127.0.0.1
ok "s6-svc -d -wD" s6-svc -wD -T 15000 -d "$gorgon"
ok "finishes what is under way too" slow_is_whole
ok "it is stopped" gone 127.0.0.1/a.txt
wrong
s6-svc -u "$gorgon"
ok "a wrong configuration is not tried again" soon sh -c "s6-svstat $gorgon | grep -q 'down (exitcode 2)'"
sleep 2
ok "nor later" [ "$(s6-svdt "$gorgon" | grep -c 'exitcode 2')" = 1 ]
no "s6-svwait -U does not return" s6-svwait -U -t 500 "$gorgon"
right
ok "s6-svc -u -wU when it is right" s6-svc -wU -T 10000 -u "$gorgon"
ok "s6-svscanctl -t" s6-svscanctl -t /tmp/scan
wait "$scan"
ok "it is stopped with all" gone 127.0.0.1/a.txt
echo end
