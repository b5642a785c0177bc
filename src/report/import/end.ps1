    foreach ($one in $found) { $open.Enqueue($(if ($one.principalId) { $one.principalId } else { $one.id })) }
}

Write-Host "Left to you: $Out/tenant.json, and $Out/devices.csv from the admin center."
