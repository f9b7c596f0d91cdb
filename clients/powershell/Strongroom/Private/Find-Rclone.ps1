function Find-Rclone {
    <#
    .SYNOPSIS
    The path of an rclone.exe that SYSTEM may run and that is new enough.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param()

    $oldest = [System.Version] '1.75'
    $folder = Join-Path -Path $env:ProgramFiles -ChildPath 'rclone'
    $path = Join-Path -Path $folder -ChildPath 'rclone.exe'
    $wayOut = "Copy rclone.exe (https://rclone.org/downloads/) to $folder, which only administrators can change."
    if (-not (Test-Path -LiteralPath $path -PathType Leaf)) {
        $found = Get-Command -Name 'rclone.exe' -CommandType Application -ErrorAction SilentlyContinue |
            Select-Object -First 1
        if ($null -eq $found) {
            throw (ConvertTo-DriveError -Id 'RcloneMissing' -Category 'NotInstalled' -Message (
                    'rclone, which speaks to the storage, is not installed on this server.') -WayOut $wayOut)
        }
        $path = $found.Path
    }
    Assert-ProtectedPath -LiteralPath $path -WayOut $wayOut
    Assert-ProtectedPath -LiteralPath (Split-Path -Path $path -Parent) -WayOut $wayOut
    $said = (Invoke-Program -LiteralPath $path -Argument @('version')).Output
    if ($said -notmatch 'rclone v(\d+\.\d+)') {
        throw (ConvertTo-DriveError -Id 'RcloneMissing' -Category 'NotInstalled' -Target $path -Message (
                "$path does not say which version of rclone it is.") -WayOut $wayOut)
    }
    if ([System.Version] $Matches[1] -lt $oldest) {
        throw (ConvertTo-DriveError -Id 'RcloneTooOld' -Category 'NotInstalled' -Target $path -Message (
                "$path is rclone $($Matches[1]); drives were tested with $oldest and need it or a newer one."
            ) -WayOut $wayOut)
    }
    $path
}
