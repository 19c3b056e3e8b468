#!/bin/bash
# Makes a release of the shop the running one on Amazon Linux 2023. Runs as root: on the box (phases 1 and 2) again and
# again, at every deploy that changes the release, the phase or the machine; on a server of a fleet (phase 3 and later)
# once, when it starts. Running it twice changes nothing; when it fails, the release before it runs on.
#
# Environment:
#   RELEASE_DIR          the unpacked bundle, below /opt/shop/releases
#   AWS_REGION           region of the secrets
#   PHASE                1: PostgreSQL on this machine; 2: on RDS, once the data is there; 3 and later: one server of a fleet
#   STACK_ID             stack, which says what phase it was in before
#   NODE_MAJOR           major version of Node.js
#   POSTGRES_MAJOR       major version of PostgreSQL
#   SESSION_SECRET_ARN   secret that signs cookies
#   DATABASE_SECRET_ARN  secret of the RDS database (phase 2 and later)
#   DOMAIN_NAME          name of the site, for HTTPS on the box (optional)
#   SCRIPT               what runs, server.js or worker.js (optional)
#   ASSETS_BUCKET        bucket that visitors get static files from (optional)
# and from phase 3 on what is handed to the app as it is (FOR_THE_APP).
#
# Secrets are named here, never read: the app reads them by the role of the instance.
set -euo pipefail
shopt -s inherit_errexit

DATA=${DATA:-/data}
SHOP=${SHOP:-/opt/shop}
ETC=${ETC:-/etc/shop}
LOG=${LOG:-/var/log/shop/app.log}
SCRIPT=${SCRIPT:-server.js}
# Says that the orders are in RDS, so that no phase starts over with the old ones.
MOVED=$DATA/moved-to-rds
# Where the data is: on this machine (box), or in RDS (rds).
DATABASE=${DATABASE_SECRET_ARN:+rds}
DATABASE=${DATABASE:-box}
FOR_THE_APP=(DATABASE_SECRET_ARN DATABASE_REPLICA_HOSTS SESSION_STORE SESSION_SECRET_ARN REDIS_URL REDIS_SECRET_ARN
  REDIS_MIN_REPLICAS TRUST_PROXY VIEWER_PROTOCOL MAX_SERVERS METRICS_NAMESPACE QUEUE_URL DATABASE_PROXY_HOST ASSETS_URL)

fail() {
  echo "error: $*" >&2
  exit 1
}

main() {
  cd /
  check_environment
  guard_phase
  choose_database
  install_packages
  make_user
  ! in_fleet || guard_move
  CHANGED=no
  install_file "$RELEASE_DIR/host/shop.service" /etc/systemd/system/shop.service
  UNIT_CHANGED=$CHANGED
  if on_box; then run_postgresql; else retire_postgresql; fi
  [[ -z ${DOMAIN_NAME:-} ]] || install_nginx
  [[ -z ${ASSETS_BUCKET:-} ]] || publish_assets
  activate_release
  [[ -z ${DOMAIN_NAME:-} ]] || start_nginx
  if on_box; then prepare_move; elif ! in_fleet; then touch "$MOVED"; fi
  remove_old_releases
  echo "The shop runs in phase $PHASE: $(basename "$RELEASE_DIR")"
}

check_environment() {
  local name
  for name in RELEASE_DIR AWS_REGION PHASE STACK_ID NODE_MAJOR POSTGRES_MAJOR SESSION_SECRET_ARN; do
    [[ -n ${!name:-} ]] || fail "$name is not set"
  done
  [[ -f $RELEASE_DIR/$SCRIPT ]] || fail "$RELEASE_DIR holds no $SCRIPT"
  case "$PHASE:${DATABASE_SECRET_ARN:+secret}" in
    1: | [2345]:secret) ;;
    *) fail "PHASE=$PHASE does not go with DATABASE_SECRET_ARN=\"${DATABASE_SECRET_ARN:-}\"" ;;
  esac
  ! in_fleet || [[ -z ${DOMAIN_NAME:-} ]] || fail "DOMAIN_NAME=$DOMAIN_NAME does not go with PHASE=$PHASE: the balancer has HTTPS"
}

# Whether this is one of several servers behind a balancer.
in_fleet() {
  [[ $PHASE != [12] ]]
}

# The orders are on the box in phase 1 and in RDS in all others, and phase 2 is where they move. While a deploy goes on, the
# stack's outputs are those of before.
guard_phase() {
  local before
  before=$(aws cloudformation describe-stacks --region "$AWS_REGION" --stack-name "$STACK_ID" --output text \
    --query "Stacks[0].Outputs[?OutputKey=='Phase'].OutputValue | [0]") || fail "cannot ask which phase $STACK_ID was in"
  case "$before:$PHASE" in
    1:[345]) fail "the shop is in phase 1, with its orders on the box: deploy phase 2 before phase $PHASE" ;;
    [345]:1) fail "the shop is in phase $before, with its orders in RDS: phase 1 would start without them" ;;
  esac
}

on_box() {
  [[ $DATABASE == box ]]
}

# Phase 2 leaves the app where its data is. What has a database here goes on with it until `move.sh` has moved the data.
choose_database() {
  [[ $PHASE != 1 || ! -e $MOVED ]] ||
    fail "the shop's data is in RDS ($MOVED): phase $PHASE would start without it. Move it back first, then remove $MOVED"
  [[ $PHASE != 2 || ! -e $DATA/pgsql/PG_VERSION || -e $MOVED ]] || DATABASE=box
}

# A server of a fleet that served an empty database would end the box that has the orders. When the database does not answer,
# the app waits for it by itself.
guard_move() {
  local status=0
  runuser -u shop -- env DATABASE_SECRET_ARN="$DATABASE_SECRET_ARN" "/usr/bin/node-$NODE_MAJOR" "$RELEASE_DIR/move.js" status ||
    status=$?
  ((status != 3)) || fail "the shop's data is not in RDS yet: move it in phase 2, before phase $PHASE"
}

# Leaves what `systemctl start shop-move` needs. Phase 1 has nowhere to move to.
prepare_move() {
  if [[ -z ${DATABASE_SECRET_ARN:-} ]]; then
    rm -f /etc/systemd/system/shop-move.service "$ETC/move"
    [[ $(local_psql postgres "SELECT count(*) FROM pg_replication_slots WHERE slot_name LIKE 'shop_move%'") == 0 ]] ||
      fail "a move to RDS was begun and keeps PostgreSQL's log: deploy phase 2 and finish it, or give it up (move.sh back)"
    return
  fi
  local name environment=''
  for name in RELEASE_DIR AWS_REGION PHASE STACK_ID NODE_MAJOR POSTGRES_MAJOR SESSION_SECRET_ARN DATABASE_SECRET_ARN DOMAIN_NAME; do
    environment+="$name='${!name:-}'"$'\n'
  done
  write_file "$ETC/move" "$environment"
  install_file "$RELEASE_DIR/host/shop-move.service" /etc/systemd/system/shop-move.service
  systemctl daemon-reload
  mover prepare || fail "the data cannot be moved to RDS: see above. The shop goes on with PostgreSQL on this machine"
  echo "The shop's data is still on this machine: systemctl start shop-move moves it"
}

# Usage: mover VERB. As postgres, PostgreSQL's superuser here by socket.
mover() {
  runuser -u postgres -- env MOVE_FROM_URL='postgres://postgres@/shop?host=/run/postgresql' \
    DATABASE_SECRET_ARN="$DATABASE_SECRET_ARN" "/usr/bin/node-$NODE_MAJOR" "$RELEASE_DIR/move.js" "$@"
}

local_psql() {
  runuser -u postgres -- psql -XAtq -v ON_ERROR_STOP=1 -d "$1" -c "$2"
}

install_packages() {
  local packages=("nodejs$NODE_MAJOR")
  ! on_box || packages+=("postgresql$POSTGRES_MAJOR-server")
  [[ -z ${DOMAIN_NAME:-} ]] || packages+=(nginx certbot)
  rpm -q --quiet "${packages[@]}" || dnf install -y -q "${packages[@]}" || fail "cannot install ${packages[*]}"
}

make_user() {
  id -u shop >/dev/null 2>&1 || useradd --system --no-create-home --shell /sbin/nologin shop
  mkdir -p "$ETC"
}

# Usage: install_file FROM TO. Fills in @NAMES@ and sets CHANGED=yes when the file is not as it was.
CHANGED=no
UNIT_CHANGED=no
install_file() {
  local text
  text=$(sed -e "s|@NODE_MAJOR@|$NODE_MAJOR|g" -e "s|@SCRIPT@|$SCRIPT|g" -e "s|@DOMAIN_NAME@|${DOMAIN_NAME:-}|g" -e "s|@PORT@|$(app_port)|g" "$1")
  write_file "$2" "$text"
}

write_file() {
  [[ -f $1 && $(<"$1") == "$2" ]] && return
  printf '%s\n' "$2" >"$1.new"
  mv "$1.new" "$1"
  # shellcheck disable=SC2034 # read by the callers
  CHANGED=yes
}

app_port() {
  if in_fleet || [[ -n ${DOMAIN_NAME:-} ]]; then echo 8080; else echo 80; fi
}

run_postgresql() {
  local pgdata=$DATA/pgsql
  if [[ ! -e $pgdata/PG_VERSION ]]; then
    install -d -o postgres -g postgres -m 700 "$pgdata"
    runuser -u postgres -- initdb -D "$pgdata" --data-checksums --auth-local=peer --auth-host=reject \
      --encoding=UTF8 --locale=C.UTF-8 >/dev/null || fail "cannot make a database in $pgdata"
  fi
  [[ $(<"$pgdata/PG_VERSION") == "$POSTGRES_MAJOR" ]] ||
    fail "$pgdata is of PostgreSQL $(<"$pgdata/PG_VERSION"), expected $POSTGRES_MAJOR: upgrade it first (pg_upgrade)"

  CHANGED=no
  install -d -o postgres -g postgres -m 700 "$pgdata/conf.d"
  grep -qxF "include_dir 'conf.d'" "$pgdata/postgresql.conf" || echo "include_dir 'conf.d'" >>"$pgdata/postgresql.conf"
  mkdir -p /etc/systemd/system/postgresql.service.d
  install_file "$RELEASE_DIR/host/postgresql.conf" "$pgdata/conf.d/shop.conf"
  install_file "$RELEASE_DIR/host/postgresql-memory.sh" "$ETC/postgresql-memory.sh"
  install_file "$RELEASE_DIR/host/postgresql.service.conf" /etc/systemd/system/postgresql.service.d/shop.conf
  systemctl daemon-reload
  systemctl enable -q postgresql
  [[ $CHANGED == no ]] || systemctl restart postgresql || service_failed postgresql
  systemctl start postgresql || service_failed postgresql

  [[ $(local_psql postgres "SELECT count(*) FROM pg_roles WHERE rolname = 'shop'") != 0 ]] ||
    runuser -u postgres -- createuser shop
  [[ $(local_psql postgres "SELECT count(*) FROM pg_database WHERE datname = 'shop'") != 0 ]] ||
    runuser -u postgres -- createdb --owner=shop shop
}

# Its data stays on the volume: it is the way back.
retire_postgresql() {
  [[ ! -e /usr/lib/systemd/system/postgresql.service ]] || systemctl disable -q --now postgresql
}

install_nginx() {
  mkdir -p "$DATA/certificates/webroot" /etc/nginx/shop
  # Certificates outlive the instance; the authority issues only a few a week for one name.
  ln -sfnT "$DATA/certificates" /etc/letsencrypt
  CHANGED=no
  install_file "$RELEASE_DIR/host/nginx.conf" /etc/nginx/nginx.conf
  install_file "$RELEASE_DIR/host/nginx-https.conf" "$ETC/nginx-https.conf"
  install_file "$RELEASE_DIR/host/certificate.sh" "$ETC/certificate.sh"
  local ip
  ip=$(metadata public-ipv4)
  write_file "$ETC/certificate" "DOMAIN_NAME=$DOMAIN_NAME"$'\n'"PUBLIC_IP=$ip"
  install_file "$RELEASE_DIR/host/shop-certificate.service" /etc/systemd/system/shop-certificate.service
  install_file "$RELEASE_DIR/host/shop-certificate.timer" /etc/systemd/system/shop-certificate.timer
  systemctl daemon-reload
}

start_nginx() {
  systemctl enable -q --now nginx || service_failed nginx
  systemctl reload nginx || service_failed nginx
  systemctl enable -q --now shop-certificate.timer
  # shellcheck disable=SC2046 # two assignments without blanks
  env $(<"$ETC/certificate") bash "$ETC/certificate.sh" 300 ||
    echo "warning: no certificate for $DOMAIN_NAME yet, so the shop does not answer there: it is tried for again every hour" >&2
}

# Prints what systemd hands to the app.
environment_file() {
  local instance zone
  instance=$(metadata instance-id)
  zone=$(metadata placement/availability-zone)
  echo "NODE_ENV=production"
  # What visitors are shown: until the data has moved, the shape is that of phase 1.
  if on_box; then echo "PHASE=1"; else echo "PHASE=$PHASE"; fi
  echo "PORT=$(app_port)"
  echo "AWS_REGION=$AWS_REGION"
  echo "SERVER_NAME=$instance"
  echo "AVAILABILITY_ZONE=$zone"
  if in_fleet; then
    local name
    for name in "${FOR_THE_APP[@]}"; do
      [[ -z ${!name:-} ]] || echo "$name=${!name}"
    done
    return
  fi
  # Behind nginx nobody else needs to reach the app.
  [[ -z ${DOMAIN_NAME:-} ]] || echo "HOST=127.0.0.1"
  echo "TRUST_PROXY=$([[ -n ${DOMAIN_NAME:-} ]] && echo 1 || echo 0)"
  if on_box; then
    echo "DATABASE_URL=postgres://shop@/shop?host=/run/postgresql"
  else
    echo "DATABASE_SECRET_ARN=$DATABASE_SECRET_ARN"
  fi
  echo "SESSION_STORE=postgres"
  echo "SESSION_SECRET_ARN=$SESSION_SECRET_ARN"
  echo "MAX_SERVERS=1"
}

metadata() {
  local token
  token=$(curl -fsS -m 5 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token)
  curl -fsS -m 5 -H "X-aws-ec2-metadata-token: $token" "http://169.254.169.254/latest/meta-data/$1"
}

# Before the first page names them. Names carry a hash of their content, so that what is there already is the same; nothing is
# removed, since servers of another release may run beside this one.
publish_assets() {
  local attempt
  # A policy that was just changed takes some seconds to be known everywhere.
  for attempt in {1..10}; do
    aws s3 sync --only-show-errors --size-only --exclude manifest.json "$RELEASE_DIR/public" "s3://$ASSETS_BUCKET/assets" &&
      return
    ((attempt == 10)) || sleep 6
  done
  fail "cannot put the static files into the bucket $ASSETS_BUCKET"
}

# Switches to the new release, or back to the one before it when the new one does not become ready.
activate_release() {
  local environment previous='' nginx=''
  previous=$(readlink "$SHOP/current" || true)
  [[ ! -f $ETC/environment ]] || cp "$ETC/environment" "$ETC/environment.previous"

  environment=$(environment_file)
  CHANGED=no
  write_file "$ETC/environment" "$environment"
  chmod 600 "$ETC/environment"
  if [[ -z ${DOMAIN_NAME:-} ]] && systemctl is-active -q nginx; then
    nginx=active
    systemctl disable -q --now nginx shop-certificate.timer
  fi
  systemctl daemon-reload
  systemctl enable -q shop
  if [[ $previous != "$RELEASE_DIR" || $CHANGED == yes || $UNIT_CHANGED == yes ]]; then
    switch_to "$RELEASE_DIR"
  else
    systemctl start shop || true
  fi
  if ready; then
    touch "$RELEASE_DIR"
    return
  fi

  echo "The last lines of the shop's log:" >&2
  journalctl -u shop -n 30 --no-pager -o cat >&2
  [[ ! -f $LOG ]] || tail -n 30 "$LOG" >&2
  if [[ -n $previous && -f $ETC/environment.previous ]]; then
    cp "$ETC/environment.previous" "$ETC/environment"
    [[ $nginx != active ]] || systemctl enable -q --now nginx shop-certificate.timer
    switch_to "$previous"
    fail "release $(basename "$RELEASE_DIR") did not become ready, $(basename "$previous") runs again"
  fi
  fail "release $(basename "$RELEASE_DIR") did not become ready"
}

switch_to() {
  ln -sfnT "$1" "$SHOP/current.new"
  mv -T "$SHOP/current.new" "$SHOP/current"
  systemctl restart shop || true
}

# Migrations run before the app is ready, hence minutes rather than seconds. A worker opens no port: it is ready when it has
# run for a while.
ready() {
  local attempt
  if [[ $SCRIPT == worker.js ]]; then
    sleep 20
    systemctl is-active -q shop
    return
  fi
  for ((attempt = 0; attempt < ${READY_ATTEMPTS:-90}; attempt++)); do
    curl -fs -m 2 -o /dev/null "http://127.0.0.1:$(app_port)/readyz" && return
    sleep 2
  done
  return 1
}

service_failed() {
  journalctl -u "$1" -n 30 --no-pager -o cat >&2
  fail "$1 does not start"
}

# Keeps the three that ran last, the current one among them.
remove_old_releases() {
  local release
  find "$SHOP/releases" -mindepth 1 -maxdepth 1 -type d -printf '%T@ %p\n' | sort -rn | tail -n +4 | cut -d ' ' -f 2- |
    while read -r release; do
      [[ $release == "$(readlink "$SHOP/current")" ]] || rm -rf "$release"
    done
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
  main
fi
