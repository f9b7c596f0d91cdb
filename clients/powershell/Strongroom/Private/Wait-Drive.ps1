function Wait-Drive {
    <#
    .SYNOPSIS
    Waits until a drive can be listed; refuses with the end of its log where it cannot.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true)]
        [string] $DriveLetter,

        [Parameter(Mandatory = $true)]
        [string] $Log,

        [int] $TimeoutSeconds = 60
    )

    $deadline = [System.DateTime]::UtcNow.AddSeconds($TimeoutSeconds)
    do {
        if ((Test-DriveHealth -DriveLetter $DriveLetter) -eq 'ok') {
            return
        }
        Start-Sleep -Milliseconds 250
    } while ([System.DateTime]::UtcNow -lt $deadline)
    $tail = ''
    if (Test-Path -LiteralPath $Log) {
        $tail = (Get-Content -LiteralPath $Log -Tail 3) -join ' / '
    }
    throw (ConvertTo-DriveError -Id 'MountFailed' -Category 'OperationTimeout' -Target $DriveLetter -Message (
            "The drive ${DriveLetter}: did not come up within $TimeoutSeconds seconds; nothing of it was kept. " +
            "rclone said: $tail") -WayOut 'Put right what rclone names, and run the command again.')
}
