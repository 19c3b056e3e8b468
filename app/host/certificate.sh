#!/bin/bash
# Gets or renews the certificate of DOMAIN_NAME and switches nginx to HTTPS. Run by shop-certificate.timer, and once at
# every set-up. It does nothing while the certificate has more than 30 days to go.
#
# Usage: certificate.sh [SECONDS TO WAIT FOR DNS]
set -euo pipefail

: "${DOMAIN_NAME:?}" "${PUBLIC_IP:?}"
wait_for_dns=${1:-0}

points_here() {
  [[ $(getent ahostsv4 "$DOMAIN_NAME" | awk 'NR == 1 { print $1 }') == "$PUBLIC_IP" ]]
}

until points_here; do
  if ((SECONDS >= wait_for_dns)); then
    echo "error: $DOMAIN_NAME does not point to $PUBLIC_IP: a certificate is tried for again every hour" >&2
    exit 1
  fi
  sleep 10
done

certbot certonly --quiet --non-interactive --agree-tos --register-unsafely-without-email \
  --webroot --webroot-path /data/certificates/webroot --keep-until-expiring --domain "$DOMAIN_NAME"

cp /etc/shop/nginx-https.conf /etc/nginx/shop/https.conf
nginx -t -q
systemctl reload nginx
