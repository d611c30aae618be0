# shellcheck shell=sh disable=SC2154
# procd, as far as a stub goes: what the script asks of it is kept in /tmp/procd, and done.
. /guest/common.sh
mkdir -p /tmp/procd
cat >/etc/rc.common <<'END'
#!/bin/sh
initscript=$1
action=$2
shift 2
note() { echo "$*" >>/tmp/procd/said; }
# As procd has it, a service that is closed without instances has none from then on.
procd_open_service() { instances=0; }
procd_close_service() { [ "$instances" != 0 ] || procd_kill; }
procd_open_instance() { instances=$((instances + 1)); }
procd_set_param() {
	note "$@"
	case $1 in
	command) shift; command=$*; started=$(cat /tmp/procd/command 2>/dev/null) ;;
	esac
}
procd_close_instance() {
	# One that runs already and is to run the same is left alone.
	if [ "$command" != "$started" ] || ! kill -0 "$(cat /tmp/procd/pid)" 2>/dev/null; then
		procd_kill
		$command >>/tmp/procd/log 2>&1 &
		echo $! >/tmp/procd/pid
		echo "$command" >/tmp/procd/command
	fi
}
procd_send_signal() { kill -s "$3" "$(cat /tmp/procd/pid)"; }
procd_kill() {
	[ ! -e /tmp/procd/pid ] || kill "$(cat /tmp/procd/pid)" 2>/dev/null
	rm -f /tmp/procd/pid /tmp/procd/command
}
procd_add_reload_trigger() { note "$@"; }
procd_add_reload_interface_trigger() { note "$@"; }
restart() { trap '' TERM; stop "$@"; start "$@"; }
. "$initscript"
start() { procd_open_service; start_service "$@"; service_triggers; procd_close_service; }
stop() { procd_kill; }
reload() { reload_service "$@"; }
case " start stop reload restart $EXTRA_COMMANDS " in
*" $action "*) "$action" "$@" ;;
*) exit 1 ;;
esac
END
chmod 755 /etc/rc.common
script=/etc/init.d/gorgon-procd
install -m 755 /dist/procd/gorgon.init "$script"
ok "check" "$script" check
ok "start" "$script" start
ok "it serves" get 127.0.0.1/a.txt
before=$(cat /tmp/procd/pid)
printf '[http:two]\nlisten = :8082\nroot = /srv/www\n' >>"$conf"
ok "reload" "$script" reload
ok "reload applies what has changed" soon get 127.0.0.1:8082/a.txt
wrong
no "check of a wrong configuration" "$script" check
for action in reload start restart; do
	no "$action refuses it" "$script" "$action"
	ok "what runs goes on after $action" get 127.0.0.1:8082/a.txt
done
ok "by the same process" [ "$before" = "$(cat /tmp/procd/pid)" ]
right
ok "restart" "$script" restart
ok "it serves again" get 127.0.0.1/a.txt
ok "stop" "$script" stop
ok "it is stopped" soon gone 127.0.0.1/a.txt
echo end
