function Test-DriveHealth {
    <#
    .SYNOPSIS
    Whether a drive can be listed now: ok, failing (it is there and refuses), or missing.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [Parameter(Mandatory = $true)]
        [string] $DriveLetter
    )

    $root = "${DriveLetter}:\"
    if (-not [System.IO.Directory]::Exists($root)) {
        return 'missing'
    }
    try {
        $null = [System.IO.Directory]::GetFileSystemEntries($root)
        'ok'
    }
    catch {
        Write-Verbose -Message "$root cannot be listed: $($_.Exception.Message)"
        'failing'
    }
}
