function Resolve-DriveLetter {
    <#
    .SYNOPSIS
    A free drive letter: the one asked for, or the next one from Z down to D, as File Explorer and rclone choose.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [string] $DriveLetter = ''
    )

    $taken = @([System.IO.DriveInfo]::GetDrives() | ForEach-Object -Process { $_.Name.Substring(0, 1) })
    $taken += @(Read-DriveRecord | ForEach-Object -Process { $_.drive_letter })
    if (Test-Path -LiteralPath 'HKCU:\Network') {
        $taken += @(Get-ChildItem -LiteralPath 'HKCU:\Network' | ForEach-Object -Process { $_.PSChildName })
    }
    $free = @([int][char] 'Z'..[int][char] 'D' | ForEach-Object -Process { [string][char] $_ } |
            Where-Object -FilterScript { $taken -notcontains $_ })
    if ($free.Count -eq 0) {
        throw (ConvertTo-DriveError -Id 'NoLetterFree' -Category 'ResourceUnavailable' -Message (
                'Every drive letter from Z to D is taken.') -WayOut (
                'Remove a drive that is no longer needed: Get-S3RcloneDrive lists those of this module.'))
    }
    if (-not $DriveLetter) {
        return $free[0]
    }
    $wanted = $DriveLetter.Substring(0, 1).ToUpperInvariant()
    if ($free -notcontains $wanted) {
        throw (ConvertTo-DriveError -Id 'LetterTaken' -Category 'ResourceExists' -Target $wanted -Message (
                "The drive letter ${wanted}: is taken.") -WayOut (
                "Leave -DriveLetter out, or take a free one: $($free -join ', ')."))
    }
    $wanted
}
