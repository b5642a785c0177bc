# Collects what `tarbac import` reads, in the folder -Out. Written by `tarbac collect --script`.
#
#   ./collect.ps1 -Out exports -Providers @{ P01 = 'https://cm01.contoso.example' }
#
# It runs in Windows PowerShell 5.1 and in PowerShell 7, and takes the module Microsoft.Graph.Authentication, somebody who
# may consent to the permissions below, and on each SMS Provider the security role Read-only Analyst for all scopes and
# collections, which your own account has to have. It changes nothing in the tenant. Stopped, it goes on with -Resume.
# tenant.json and devices.csv are left to you: `tarbac import --how` says where they come from.
[CmdletBinding()]
param(
    [string] $Out = 'exports',
    # The address of the SMS Provider of each hierarchy, by its site code.
    [hashtable] $Providers = @{},
    # The cloud: {environments}.
    [string] $Environment = 'Global',
    # Goes on with a run that was stopped.
    [switch] $Resume,
    # Asks for the members of all groups, and not only of those that give something.
    [switch] $AllGroups
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$done = Join-Path $Out '.collect-done.txt'
foreach ($part in 'graph', 'configmgr') {
    # What an earlier run has left would be taken for what is so today.
    if (-not $Resume -and (Test-Path (Join-Path $Out $part))) {
        throw "$Out has an export already: choose another folder with -Out, or go on with -Resume"
    }
}
if ($Resume -and -not (Test-Path $done)) { throw "there is no run in $Out that was stopped" }
$Out = (New-Item -ItemType Directory -Force $Out).FullName
$done = Join-Path $Out '.collect-done.txt'
if (-not $Resume -and (Test-Path $done)) { Remove-Item -Force $done }
$finished = @{}
# The time now, written in the same way in every culture.
function Get-Moment { [DateTime]::UtcNow.ToString('s', [Globalization.CultureInfo]::InvariantCulture) + 'Z' }
$started = Get-Moment
$account = @{}
$saved = @{}
$retries = 0

# A property of a record, be it there or not.
function Get-Field($Record, [string] $Name) {
    if ($null -eq $Record) { return $null }
    $property = $Record.PSObject.Properties[$Name]
    if ($null -ne $property) { $property.Value }
}

# The status of a failed request; 0 where there was no answer.
function Get-Status($Fault) {
    $response = Get-Field $Fault.Exception 'Response'
    if ($null -eq $response) { 0 } else { [int] $response.StatusCode }
}

# The seconds that a service asks to wait, and at least as many as it takes to leave it alone.
function Get-Wait($Fault, [int] $Least) {
    $headers = Get-Field (Get-Field $Fault.Exception 'Response') 'Headers'
    $delta = Get-Field (Get-Field $headers 'RetryAfter') 'Delta'
    $wanted = 0
    if ($null -ne $delta) { $wanted = $delta.TotalSeconds + 1 }
    if ($headers -is [Net.WebHeaderCollection] -and $headers['Retry-After'] -match '^\d+$') {
        $wanted = [double] $headers['Retry-After'] + 1
    }
    [Math]::Max($wanted, $Least)
}

# Makes a request until it is answered, or refused for good.
function Invoke-Again([scriptblock] $Call) {
    for ($try = 1; ; $try++) {
        try { return & $Call } catch {
            $status = Get-Status $_
            $lasting = $status -ge 400 -and $status -lt 500 -and $status -notin 408, 429
            $wait = Get-Wait $_ ([Math]::Pow(2, $try))
            if ($lasting -or $try -ge 8 -or $wait -gt 900) { throw }
            $script:retries++
            Start-Sleep -Seconds $wait
        }
    }
}

# The text, if it is that of an answer: a page of a proxy or an error would be taken for records.
function Confirm-Answer([string] $Text) {
    if ($Text -notmatch '^\uFEFF?\s*\{' -or $Text -match '^\uFEFF?\s*\{\s*"error"\s*:') {
        throw 'what came is no answer of the service'
    }
    # ConvertFrom-Json takes no mark at the beginning.
    $Text.TrimStart([char] 0xFEFF)
}

# The text that a call of Graph answers.
function Get-GraphText([string] $Uri) {
    Invoke-Again { Confirm-Answer (Invoke-MgGraphRequest -Method GET -Uri $Uri -OutputType Json) }
}

# The text that an AdminService answers to the account that runs this.
function Get-SiteText([string] $Uri) {
    Invoke-Again {
        $answer = Invoke-WebRequest -Uri $Uri -UseDefaultCredentials -UseBasicParsing -TimeoutSec 600
        Confirm-Answer ([Text.Encoding]::UTF8.GetString($answer.RawContentStream.ToArray()))
    }
}

# The path of a page, with its folder.
function Get-PagePath([string] $File, [int] $Page) {
    $name = if ($Page -eq 1) { $File } else { $File -replace '\.json$', "-$Page.json" }
    $path = Join-Path $Out $name
    $null = New-Item -ItemType Directory -Force (Split-Path $path)
    $path
}

# The address of the next page that an answer names. Long texts are more than ConvertFrom-Json of Windows PowerShell takes.
function Get-Next([string] $Text) {
    $next = [regex]::Match($Text, '"@odata\.nextLink"\s*:\s*("(?:[^"\\]|\\.)*")')
    if ($next.Success) { $next.Groups[1].Value | ConvertFrom-Json }
}

# The same of a site, to which alone the account is shown.
function Get-NextOfSite([string] $Text, [string] $Uri) {
    $next = Get-Next $Text
    $site = ([Uri] $Uri).GetLeftPart([UriPartial]::Authority) + '/'
    if ($next -and ($next -eq $Uri -or -not $next.StartsWith($site, [StringComparison]::OrdinalIgnoreCase))) {
        throw "the next page of $Uri is elsewhere: $next"
    }
    $next
}

# Removes the pages of a file: a part of them would be taken for all of them.
function Remove-Pages([string] $File) {
    for ($page = 1; Test-Path -LiteralPath (Get-PagePath $File $page); $page++) {
        Remove-Item -LiteralPath (Get-PagePath $File $page)
    }
}

# Saves a text: the file is there when it is whole.
function Save-Text([string] $Path, [string] $Text) {
    [IO.File]::WriteAllText("$Path.part", $Text)
    Move-Item -Force -LiteralPath "$Path.part" $Path
}

# The entry of an export in the account of the collection.
function Get-Entry([string] $Export) {
    if (-not $account.ContainsKey($Export)) {
        $account[$Export] = @{
            export = $Export; state = 'collected'; files = 0; rows = 0; requests = 0; retries = 0; gone = 0
        }
    }
    $account[$Export]
}

# Counts a file whose pages are all there.
function Add-File([string] $File, [string] $Export, [int] $Pages, [int] $Rows) {
    if ($finished[$File]) { return }
    $finished[$File] = $true
    $entry = Get-Entry $Export
    $entry.files += $Pages
    $entry.rows += $Rows
    $entry.requests += $Pages
}

# The same, and a run with -Resume knows it.
function Complete-File([string] $File, [string] $Export, [int] $Pages, [int] $Rows) {
    Add-File $File $Export $Pages $Rows
    Add-Content -Path $done -Value "$File`t$Export`t$Pages`t$Rows"
}

function Show-Progress([string] $File, [int] $Rows) {
    Write-Progress -Activity 'Collecting' -Status "$File, $Rows records"
}

# Goes on without a file that is refused.
function Skip-File([string] $File, [string] $Export, [string] $Rights, [bool] $Optional, $Fault) {
    $status = Get-Status $Fault
    if ($status -ne 403 -and -not $Optional) { throw $Fault }
    Remove-Pages $File
    $entry = Get-Entry $Export
    $entry.state = if ($status -eq 403) { 'refused' } else { 'failed' }
    $entry.status = $status
    $entry.message = "$Fault"
    if ($status -eq 403) { $entry.permission = $Rights }
    Write-Warning "$File was not saved; it takes $Rights`: $Fault"
}

# The records of a file that an earlier run has saved.
function Read-Saved([string] $File) {
    for ($page = 1; ; $page++) {
        $path = Get-PagePath $File $page
        if (-not (Test-Path -LiteralPath $path)) { break }
        foreach ($text in [IO.File]::ReadAllText($path)) {
            $answer = $text | ConvertFrom-Json
            if ($null -eq $answer) { continue }
            $value = $answer.PSObject.Properties['value']
            if ($null -ne $value) { $value.Value } else { $answer }
        }
    }
}

# Saves what a call of Graph answers, page by page, and gives the records if they are needed.
function Save-Graph([hashtable] $Call, [string] $Uri, [string] $File) {
    if ($finished[$File]) { if ($Call.Needed) { Read-Saved $File }; return }
    Remove-Pages $File
    $rows = 0
    for ($page = 1; $Uri; $page++) {
        $text = Get-GraphText $Uri
        Save-Text (Get-PagePath $File $page) $text
        $Uri = Get-Next $text
        $rows += [regex]::Matches($text, '"(?:id|skuId|enabled)"\s*:').Count
        Show-Progress $File $rows
        if ($Call.Needed) { Get-Field ($text | ConvertFrom-Json) 'value' }
    }
    Complete-File $File $Call.File ($page - 1) $rows
}

# The same where the rest is of use without it.
function Save-GraphOrNote([hashtable] $Call, [string] $Uri, [string] $File) {
    try { Save-Graph $Call $Uri $File } catch {
        # The object was deleted after the list was made.
        if ($Call.File -like '*<id>*' -and (Get-Status $_) -eq 404) {
            Remove-Pages $File
            (Get-Entry $Call.File).gone++
            return
        }
        Skip-File $File $Call.File $Call.Rights $Call.Optional $_
    }
}

# The records of an answer of an AdminService.
function Get-Rows([string] $Text) {
    $value = Get-Field ($Text | ConvertFrom-Json) 'value'
    if ($null -ne $value) { $value }
}

# The one record of an answer about an instance, which some sites write into a list.
function Get-Instance([string] $Text, [string] $Key) {
    $answer = $Text | ConvertFrom-Json
    $list = $answer.PSObject.Properties['value']
    $rows = @(if ($null -ne $list) { $list.Value } else { $answer })
    if ($rows.Count -ne 1 -or $null -eq (Get-Field $rows[0] $Key)) { throw 'what came is no instance' }
    $rows[0]
}

# The resource ids of an answer.
function Get-ResourceId([string] $Text) { foreach ($row in @(Get-Rows $Text)) { [long] $row.ResourceID } }

# Saves the instances of a class: page by page where they have an order, one by one where properties are lazy.
function Save-Class([string] $Site, [hashtable] $Class) {
    $file = "configmgr/$Site/$($Class.Name).json"
    if ($finished[$file]) { if ($Class.Needed) { Read-Saved $file }; return }
    Remove-Pages $file
    $base = "$($Providers[$Site].TrimEnd('/'))/AdminService/wmi/"
    if ($Class.Key) {
        $keys = @(for ($uri = "$base$($Class.Query)"; $uri; $uri = Get-NextOfSite $text $uri) {
            $text = Get-SiteText $uri
            foreach ($row in @(Get-Rows $text)) {
                $key = Get-Field $row $Class.Key
                if ($null -eq $key) { throw "an instance of $file has no key" }
                $key
            }
        })
        $rows = @(foreach ($key in $keys) {
            $instance = if ($Class.Quoted) { "$($Class.Name)('$key')" } else { "$($Class.Name)($key)" }
            try { Get-Instance (Get-SiteText "$base$instance") $Class.Key } catch {
                # The instance was deleted after the list was made.
                if ((Get-Status $_) -ne 404) { throw }
                (Get-Entry $file).gone++
            }
        })
        Save-Text (Get-PagePath $file 1) (ConvertTo-Json -Depth 6 -InputObject $rows)
        Complete-File $file $file 1 $rows.Count
        $rows
    } elseif ($Class.Order) {
        $size = 2000
        $total = 0
        $last = [long] -1
        $list = "$base$($Class.Query)&`$orderby=$($Class.Order)"
        for ($page = 1; ; $page++) {
            $text = Get-SiteText "$list&`$top=$size&`$skip=$total"
            $ids = @(Get-ResourceId $text)
            if ($ids.Count -gt $size -or (Get-Next $text)) {
                throw "$file`: the site does not answer in pages of this size; use tarbac collect"
            }
            foreach ($id in $ids) {
                if ($id -lt $last) { throw "$file`: the site does not answer in order; use tarbac collect" }
                $last = $id
            }
            Save-Text (Get-PagePath $file $page) $text
            $total += $ids.Count
            Show-Progress $file $total
            if ($ids.Count -eq $size) { continue }
            if ($total -eq 0) { break }
            # Where instances have come or gone meanwhile, the last one is no longer where it was.
            $end = @(Get-ResourceId (Get-SiteText "$list&`$top=2&`$skip=$($total - 1)"))
            if ($end.Count -eq 0 -or $end[0] -ne $last) {
                throw "$file`: it changed while it was read, or the site knows no pages: run this again with -Resume, or use tarbac collect"
            }
            if ($end.Count -eq 1) { break }
        }
        Complete-File $file $file $page $total
    } else {
        $total = 0
        $page = 0
        for ($uri = "$base$($Class.Query)"; $uri; $uri = Get-NextOfSite $text $uri) {
            $page++
            $text = Get-SiteText $uri
            Save-Text (Get-PagePath $file $page) $text
            $total += @(Get-Rows $text).Count
        }
        Complete-File $file $file $page $total
    }
}

# The same where the rest is of use without it.
function Save-ClassOrNote([string] $Site, [hashtable] $Class) {
    $file = "configmgr/$Site/$($Class.Name).json"
    try { Save-Class $Site $Class } catch { Skip-File $file $file $Class.Rights $Class.Optional $_ }
}

# A run with -Resume counts what the earlier one has saved, and is as old as that.
$tenant = $null
if ($Resume) {
    foreach ($line in Get-Content $done) {
        $parts = $line -split "`t"
        if ($parts.Count -eq 2 -and $parts[0] -eq 'started') { $started = $parts[1] }
        if ($parts.Count -eq 2 -and $parts[0] -eq 'tenant') { $tenant = $parts[1] }
        if ($parts.Count -eq 4) { Add-File $parts[0] $parts[1] $parts[2] $parts[3] }
    }
}
Add-Content -Path $done -Value "`nstarted`t$started"

{connect}

# A run goes on in the tenant that it was begun in.
$current = "$((Get-MgContext).TenantId)"
if ($tenant -and $tenant -ne $current) { throw "the run that was stopped is of another tenant" }
Add-Content -Path $done -Value "tenant`t$current"
