# shellcheck shell=sh disable=SC2154
# The Debian package, put in, brought up to date and taken out again; with systemd running or without.
. /guest/common.sh
rm -rf /etc/gorgon
dpkg -P gorgon >/dev/null 2>&1
ok "install" dpkg -i /packages/first.deb
ok "its configuration is right" gorgon check -c "$conf"
ok "its manual is there" [ -s /usr/share/man/man1/gorgon.1.gz ]
if [ -d /run/systemd/system ]; then
	says "it is not enabled" "disabled" systemctl is-enabled gorgon
	no "it is not started" systemctl is-active gorgon
	ok "enable --now" systemctl enable --now gorgon
	ok "it serves" curl -sSf http://127.0.0.1/a.txt
	printf '[http:main]\nlisten = :8082\nroot = /srv/www\n' >/etc/gorgon/two.conf
	ok "an instance" systemctl enable --now gorgon@two
	before=$(systemctl show -P MainPID gorgon gorgon@two)
fi
ok "a newer one" dpkg -i /packages/second.deb
if [ -d /run/systemd/system ]; then
	ok "it serves still" get 127.0.0.1/a.txt
	ok "the instance too" get 127.0.0.1:8082/a.txt
	after=$(systemctl show -P MainPID gorgon gorgon@two)
	ok "both are started anew" fails sh -c "echo '$before' | grep -qxF '$(echo "$after" | sed '/^$/d')'"
fi
ok "remove" dpkg -r gorgon
ok "its configuration stays" [ -e "$conf" ]
if [ -d /run/systemd/system ]; then
	no "it is stopped" systemctl is-active gorgon
	no "the instance too" systemctl is-active gorgon@two
	no "no process is left" pgrep -x gorgon
	rm /etc/gorgon/two.conf
fi
ok "purge" dpkg -P gorgon
no "no configuration is left" [ -e /etc/gorgon ]
no "nothing else is left" sh -c "find /usr /etc -name 'gorgon*' | grep ."
echo end
