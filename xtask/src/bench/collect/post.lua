-- For wrk: posts one log as the original tracker did, and prints what it took as JSON.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/x-www-form-urlencoded; charset=UTF-8"
wrk.body = "timestamp=2015-12-22T06%3A19%3A03.366Z"
  .. "&token=VkdzNVRsRlZVa1JVTURWUFVsVk9WVk5WT1U4PQ"
  .. "&user_key=tR2VQSYNNXJwbBQLijmR"
  .. "&current_page=http%3A%2F%2Fsite.com%2Findex.html"
  .. "&link=http%3A%2F%2Fsite.com%2Fpage.html"
  .. "&x=110&y=400&spent_milli_sec=1120"
  .. "&user_agent=Mozilla%2F5.0%20(Macintosh%3B%20Intel%20Mac%20OS%20X%2010_11_1)%20AppleWebKit%2F537.36"
  .. "&load_count=2"

function done(summary, latency, requests)
  local errors = summary.errors
  io.stdout:write(string.format(
    '\n{"requests":%d,"duration_us":%d,"p50_us":%d,"p99_us":%d,"not_2xx":%d,"broken":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
