#!/bin/bash
# Writes PostgreSQL's settings that depend on the machine. Runs as postgres before every start of the service.
set -euo pipefail

# Usage: memory_settings MEMORY_KIB VCPUS
#
# A quarter of the memory for shared buffers, as PostgreSQL's manual advises for a server of its own; the app and the file
# system cache live beside it. Connections follow the app, which runs one process per vCPU.
memory_settings() {
  local mib=$(($1 / 1024)) vcpus=$2
  local shared_buffers=$((mib / 4))
  local effective_cache_size=$((mib / 2))
  local maintenance_work_mem=$((mib / 16))
  local max_connections=$((vcpus * 10))
  ((maintenance_work_mem <= 2048)) || maintenance_work_mem=2048
  ((max_connections >= 100)) || max_connections=100
  ((max_connections <= 500)) || max_connections=500
  # All connections sorting at once take a quarter of the memory together.
  local work_mem=$((mib * 1024 / 4 / max_connections))
  ((work_mem >= 4096)) || work_mem=4096
  cat <<SETTINGS
shared_buffers = ${shared_buffers}MB
effective_cache_size = ${effective_cache_size}MB
maintenance_work_mem = ${maintenance_work_mem}MB
work_mem = ${work_mem}kB
max_connections = ${max_connections}
max_worker_processes = $((vcpus > 8 ? vcpus : 8))
SETTINGS
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
  memory_kib=$(awk '/^MemTotal:/ { print $2 }' /proc/meminfo)
  memory_settings "$memory_kib" "$(nproc)" >"${PGDATA:?}/conf.d/memory.conf"
fi
