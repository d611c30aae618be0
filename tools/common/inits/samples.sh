# shellcheck shell=sh
# Each sample of dist/conf, as it stands: checked, served, and what its head says tried.
. /guest/common.sh
mkdir -p /srv/files /srv/box/incoming /www /etc/gorgon/public /etc/gorgon/inside /var/log/gorgon /run/gorgon
chmod 755 /srv/files /srv/box /www /etc/gorgon /run/gorgon
for place in /srv/files /srv/box /www /etc/gorgon/public /etc/gorgon/inside; do
	cp /srv/www/a.txt "$place"
done
chown nobody /srv/box/incoming /var/log/gorgon /run/gorgon
echo 'a compressed file' | gzip >/srv/www/a.txt.gz
grep -q '^wheel:' /etc/group || groupadd wheel
groupadd staff 2>/dev/null
useradd -M -G wheel boss
useradd -M -G staff hand
useradd -M guest
user_of() { setpriv --reuid="$1" --regid="$1" --init-groups gorgon monitor /run/gorgon/monitor.sock -c "$2"; }
code() { curl -sS -m 10 -o /tmp/body -w '%{http_code}' "$@"; }
begin() { # begin NAME ADDRESS
	cp "/dist/conf/$1.conf" "/etc/gorgon/$1.conf"
	ok "$1: check" gorgon check -c "/etc/gorgon/$1.conf"
	gorgon run -c "/etc/gorgon/$1.conf" >/tmp/log 2>&1 &
	pid=$!
	ok "$1: it serves" get "$2/a.txt"
}
finish() {
	kill -QUIT "$pid"
	if wait "$pid"; then echo "ok $1: it ends well"; else
		echo "FAIL $1: it ends by $?"
		sed 's/^/     /' /tmp/log
	fi
}

begin gorgon 127.0.0.1:8080
finish gorgon

begin static 127.0.0.1
says "static: no listing" "403" code http://127.0.0.1/
says "static: compressed" "Content-Encoding: gzip" curl -sSI -H 'Accept-Encoding: gzip' http://127.0.0.1/a.txt
says "static: to be kept" "max-age=3600" curl -sSI http://127.0.0.1/a.txt
ok "static: its log" soon grep -q a.txt /var/log/gorgon/access.log
finish static

begin small 127.0.0.1
says "small: asked for again" "no-cache" curl -sSI http://127.0.0.1/a.txt
finish small

begin buffers 127.0.0.1:8080
ok "buffers: the sensors" get 127.0.0.1:8081/a.txt
ok "buffers: the proxy" curl -sSf --unix-socket /run/gorgon/files.http http://localhost/a.txt
says "buffers: the monitor is found beside it" "role=admin" gorgon monitor -c hello
finish buffers

begin sites 127.0.0.1:8080
ok "sites: inside" get 127.0.0.1:8081/a.txt
for path in healthz metrics status; do
	says "sites: $path inside" "200" code "http://127.0.0.1:8081/-/$path"
	says "sites: no $path outside" "404" code "http://127.0.0.1:8080/-/$path"
done
ok "sites: logs" soon sh -c "grep -q a.txt /var/log/gorgon/public.log && grep -q healthz /var/log/gorgon/inside.log"
finish sites

htpasswd -Bbc /etc/gorgon/users somebody secret 2>/dev/null
chmod 644 /etc/gorgon/users
cp /dist/conf/uploads.conf /etc/gorgon/uploads.conf
sed -i 's/^upload_reserve = 5G/upload_reserve = 1M/' /etc/gorgon/uploads.conf
ok "uploads: check" gorgon check -c /etc/gorgon/uploads.conf
gorgon run -c /etc/gorgon/uploads.conf >/tmp/log 2>&1 &
pid=$!
says "uploads: nobody else" "401" code --retry 10 --retry-connrefused http://127.0.0.1:8080/a.txt
says "uploads: who has a password" "200" code -u somebody:secret http://127.0.0.1:8080/a.txt
says "uploads: a file" "201" code -u somebody:secret -T /srv/www/a.txt http://127.0.0.1:8080/incoming/b.txt
says "uploads: it is there" "200" code -u somebody:secret http://127.0.0.1:8080/incoming/b.txt
says "uploads: not elsewhere" "40" code -u somebody:secret -T /srv/www/a.txt http://127.0.0.1:8080/b.txt
says "uploads: not by others" "401" code -T /srv/www/a.txt http://127.0.0.1:8080/incoming/c.txt
finish uploads

echo secret | gorgon passwd --monitor far:operate >/etc/gorgon/monitor.keys 2>/dev/null
chmod 600 /etc/gorgon/monitor.keys
chown nobody /etc/gorgon/monitor.keys
cp /dist/conf/monitor-tcp.conf /etc/gorgon/monitor-tcp.conf
ok "monitor-tcp: check" gorgon check -c /etc/gorgon/monitor-tcp.conf
gorgon run -c /etc/gorgon/monitor-tcp.conf >/tmp/log 2>&1 &
pid=$!
ok "monitor-tcp: it serves" get 127.0.0.1:8080/a.txt
says "monitor-tcp: @wheel" "role=admin" user_of boss hello
says "monitor-tcp: @staff" "role=operate" user_of hand hello
no "monitor-tcp: nobody else" user_of guest hello
echo secret >/tmp/password
chmod 600 /tmp/password
says "monitor-tcp: who has a key" "role=operate" \
	gorgon monitor --user far --password-file /tmp/password 127.0.0.1:9999 -c hello
echo wrong >/tmp/password
no "monitor-tcp: not with another" gorgon monitor --user far --password-file /tmp/password 127.0.0.1:9999 -c hello
finish monitor-tcp
echo end
