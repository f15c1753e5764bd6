#!/usr/bin/env bash
# Packs Tollgate, installs the package into an empty folder and uses its command there as a user
# of that machine would: with whatever Node is first on the PATH.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
folder=$(mktemp -d)
demo=''
cleanup() {
  if [ -n "$demo" ]; then kill -TERM "$demo" 2>/dev/null || true; wait "$demo" 2>/dev/null || true; fi
  rm -rf "$folder"
}
trap cleanup EXIT

cd "$root"
npm run --silent build
package=$(npm pack --silent --ignore-scripts --pack-destination "$folder")
cd "$folder"
printf '{"private":true,"allowScripts":{"node":true}}\n' > package.json
npm install --no-audit --no-fund --silent "./$package"
# npm scripts put the project's own Node first; a user's shell does not.
PATH=$(printf '%s' "$PATH" | tr ':' '\n' | grep -v node_modules | paste -sd:)
echo "Node of the machine: $(node --version)"

command=./node_modules/.bin/tollgate
# tsc leaves a relative import() as it is inside a function with "await using".
if grep -rnE --exclude-dir=web "import\(['\"]\.[^'\"]*\.ts['\"]" node_modules/tollgate/dist; then
  echo 'the package imports a .ts file; move that import() out of the function'; exit 1
fi
$command --version
$command --help >/dev/null
$command config reference >/dev/null
mkdir logs
cat > logs/app-20260101000000-0000 <<'LOG'
{"Event":"SparkListenerLogStart","Spark Version":"3.5.0"}
{"Event":"SparkListenerApplicationStart","App Name":"try","App ID":"app-20260101000000-0000","Timestamp":1767225600000,"User":"ci"}
{"Event":"SparkListenerExecutorAdded","Timestamp":1767225601000,"Executor ID":"0","Executor Info":{"Host":"h","Total Cores":2,"Log Urls":{}}}
{"Event":"SparkListenerApplicationEnd","Timestamp":1767225661000}
LOG
$command report logs

port=$((20000 + RANDOM % 20000))
$command demo --port "$port" --data "$folder/data" > demo.log 2>&1 &
demo=$!
for _ in $(seq 1 180); do
  if curl -fsS "http://127.0.0.1:$port/readyz" >/dev/null 2>&1; then ready=1; break; fi
  sleep 1
done
[ "${ready:-}" = 1 ] || { echo 'the demo of the package did not become ready'; cat demo.log; exit 1; }
curl -fsS "http://127.0.0.1:$port/" | grep -q '<title>'
curl -fsS "http://127.0.0.1:$port/modules/preact.js" | head -c 100 >/dev/null
curl -fsS "http://127.0.0.1:$port/v1/clusters" | grep -q '"clusters"'
$command price --url "http://127.0.0.1:$port"
echo 'the package works in an empty folder'
