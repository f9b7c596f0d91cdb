function Get-S3RcloneDrive {
    <#
    .SYNOPSIS
    Lists the data sets that are drives of this server.

    .DESCRIPTION
    Gives one object for each drive that New-S3RcloneDrive made, with its letter, its repository and its health: ok
    when it can be listed, failing when it is there and refuses (for example because the grant was revoked), missing
    when its service does not run. Needs no elevated session.

    .PARAMETER DriveLetter
    Only the drive with this letter, with or without a colon.

    .PARAMETER BucketName
    Only the drive of this repository.

    .EXAMPLE
    Get-S3RcloneDrive

    Every drive.

    .EXAMPLE
    Get-S3RcloneDrive | Where-Object -Property Health -NE -Value 'ok'

    The drives that need somebody.

    .OUTPUTS
    Strongroom.S3RcloneDrive, with the properties DriveLetter, BucketName, IsReadOnly, Health, MadeAt, Service and Log.
    #>
    [CmdletBinding()]
    [OutputType('Strongroom.S3RcloneDrive')]
    param(
        [ValidatePattern('^[D-Zd-z]:?\\?$')]
        [string] $DriveLetter,

        [ValidatePattern('^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$')]
        [string] $BucketName
    )

    foreach ($record in @(Read-DriveRecord)) {
        if ($DriveLetter -and ($record.drive_letter -ne $DriveLetter.Substring(0, 1))) { continue }
        if ($BucketName -and ($record.bucket -ne $BucketName)) { continue }
        $service = Get-Service -Name $record.service -ErrorAction SilentlyContinue
        $isRunning = ($null -ne $service) -and ($service.Status -eq 'Running')
        [pscustomobject] @{
            PSTypeName  = 'Strongroom.S3RcloneDrive'
            DriveLetter = $record.drive_letter
            BucketName  = $record.bucket
            IsReadOnly  = $record.is_read_only
            Health      = if ($isRunning) { Test-DriveHealth -DriveLetter $record.drive_letter } else { 'missing' }
            MadeAt      = $record.made_at
            Service     = $record.service
            Log         = $record.log
        }
    }
}
