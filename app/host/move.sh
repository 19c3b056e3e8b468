#!/bin/bash
# Moves the data from the PostgreSQL on this machine to RDS, and the app with it: `systemctl start shop-move`, which runs this
# as root. Repeating it does what is left to do, wherever it was cut off; after a reboot it goes on by itself.
# `bash /opt/shop/current/host/move.sh back` gives up a move that was begun: writes go on here, and its slot is removed.
set -euo pipefail
shopt -s inherit_errexit

ETC=${ETC:-/etc/shop}
[[ -f $ETC/move ]] || { echo "error: $ETC/move is not there: deploy phase 2 first" >&2; exit 1; }
set -a
# shellcheck disable=SC1091 # written by configure.sh
source "$ETC/move"
set +a
# shellcheck source=app/host/configure.sh
source "$RELEASE_DIR/host/configure.sh"

alone() {
  cd /
  exec 9>"${LOCK:-/run/box-setup.lock}"
  flock -n 9 || fail 'a deploy or another move is at work on this machine: start this again when it has ended'
}

move_to_rds() {
  guard_stack
  systemctl enable -q shop-move
  if [[ ! -e $MOVED ]]; then
    systemctl start postgresql || service_failed postgresql
    mover run || give_up $?
    # From here on orders may be in RDS.
    touch "$MOVED"
  fi
  DATABASE=rds
  local status=0
  # In a condition, bash would not stop at what fails in it.
  set +e
  (
    set -e
    activate_release
  )
  status=$?
  set -e
  if ((status != 0)); then
    mover back || fail "the shop does not start on RDS, which holds orders already: it only reads here until that is mended"
    rm -f "$MOVED"
    systemctl disable -q shop-move
    fail 'the shop does not start on RDS, and goes on with PostgreSQL on this machine'
  fi
  retire_postgresql
  systemctl disable -q shop-move
  echo "The shop's data is in RDS"
}

# A deploy that still goes on could be rolled back, and RDS with it.
guard_stack() {
  local phase
  phase=$(aws cloudformation describe-stacks --region "$AWS_REGION" --stack-name "$STACK_ID" --output text \
    --query "Stacks[0].Outputs[?OutputKey=='Phase'].OutputValue | [0]") || fail "cannot ask which phase $STACK_ID is in"
  [[ $phase == "$PHASE" ]] || fail "the stack is in phase $phase: wait for the deploy of phase $PHASE to end"
}

# Usage: give_up STATUS. Only a mover that was killed, or that has lost both servers, may have left writes paused.
give_up() {
  if (($1 > 2)); then
    mover back || fail "writes are still paused: start this again, or give it up (move.sh back)"
  fi
  systemctl disable -q shop-move
  fail 'nothing was moved, and the shop goes on with PostgreSQL on this machine'
}

take_back() {
  [[ ! -e $MOVED ]] || fail "the shop's data is in RDS ($MOVED)"
  mover back
  systemctl disable -q shop-move
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
  alone
  case ${1:-} in
    '') move_to_rds ;;
    back) take_back ;;
    *) fail "\"$1\": must be back, or nothing" ;;
  esac
fi
