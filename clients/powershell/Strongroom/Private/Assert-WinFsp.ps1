function Assert-WinFsp {
    <#
    .SYNOPSIS
    Refuses unless WinFsp 2021 (1.9) or newer is installed: older ones cannot say who may open a drive.
    #>
    [CmdletBinding()]
    param()

    $wayOut = 'Install it from https://winfsp.dev/rel/ or with: winget install --exact --id WinFsp.WinFsp'
    $folder = $null
    foreach ($key in @('HKLM:\SOFTWARE\WOW6432Node\WinFsp', 'HKLM:\SOFTWARE\WinFsp')) {
        if (Test-Path -LiteralPath $key) {
            $folder = (Get-ItemProperty -LiteralPath $key).PSObject.Properties['InstallDir']
            if ($null -ne $folder) { break }
        }
    }
    $library = $null
    if ($null -ne $folder) {
        $bin = Join-Path -Path $folder.Value -ChildPath 'bin'
        $library = Get-ChildItem -LiteralPath $bin -Filter 'winfsp-*64.dll' -ErrorAction SilentlyContinue |
            Select-Object -First 1
    }
    if ($null -eq $library) {
        throw (ConvertTo-DriveError -Id 'WinFspMissing' -Category 'NotInstalled' -Message (
                'WinFsp, which makes drives, is not installed on this server.') -WayOut $wayOut)
    }
    $found = New-Object -TypeName System.Version -ArgumentList @(
        $library.VersionInfo.FileMajorPart, $library.VersionInfo.FileMinorPart
    )
    if ($found -lt [System.Version] '1.9') {
        throw (ConvertTo-DriveError -Id 'WinFspTooOld' -Category 'NotInstalled' -Message (
                "WinFsp $found is too old: 1.9 (WinFsp 2021) or newer can limit a drive to those who may use it."
            ) -WayOut $wayOut)
    }
}
